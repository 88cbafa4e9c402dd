// The part of the C interface that needs the CUDA libraries; torch_cuda.cc implements it.
#pragma once
#include "torch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  char name[256];
  int major, minor;  // compute capability
  int driver, runtime;  // CUDA versions, 1000 major + 10 minor
} torch_cuda_info;

typedef struct {
  int64_t allocated, peak, reserved, free, total;  // bytes
} torch_cuda_bytes;

torch_result torch_cuda_count(int* out);
torch_result torch_cuda_device(int device, torch_cuda_info* out);
torch_result torch_cuda_memory(int device, torch_cuda_bytes* out);
torch_result torch_cuda_reset_peak(int device);
torch_result torch_cuda_empty_cache(void);
torch_result torch_cuda_synchronize(int device);

#ifdef __cplusplus
}
#endif
