//go:build cuda

#include "torch_cuda.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>

#include "guard.h"

using c10::CachingAllocator::StatType;

torch_result torch_cuda_count(int* out) {
  return guarded([&] { *out = c10::cuda::device_count_ensure_non_zero(); });
}

torch_result torch_cuda_device(int device, torch_cuda_info* out) {
  return guarded([&] {
    cudaDeviceProp properties;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
    std::memcpy(out->name, properties.name, sizeof out->name);
    out->major = properties.major;
    out->minor = properties.minor;
    C10_CUDA_CHECK(cudaDriverGetVersion(&out->driver));
    C10_CUDA_CHECK(cudaRuntimeGetVersion(&out->runtime));
  });
}

torch_result torch_cuda_memory(int device, torch_cuda_bytes* out) {
  return guarded([&] {
    c10::cuda::CUDAGuard on(static_cast<c10::DeviceIndex>(device));
    size_t free, total;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    *out = {0, 0, 0, static_cast<int64_t>(free), static_cast<int64_t>(total)};
    if (!c10::cuda::CUDACachingAllocator::get()->initialized()) return;
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    constexpr auto all = static_cast<size_t>(StatType::AGGREGATE);
    out->allocated = stats.allocated_bytes[all].current;
    out->peak = stats.allocated_bytes[all].peak;
    out->reserved = stats.reserved_bytes[all].current;
  });
}

torch_result torch_cuda_reset_peak(int device) {
  return guarded([&] { c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}

torch_result torch_cuda_empty_cache() {
  return guarded([&] { c10::cuda::CUDACachingAllocator::emptyCache(); });
}

torch_result torch_cuda_synchronize(int device) {
  return guarded([&] {
    c10::cuda::CUDAGuard on(static_cast<c10::DeviceIndex>(device));
    c10::cuda::device_synchronize();
  });
}
