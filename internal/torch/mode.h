// The modes of the calling thread that a Go function runs in: on from a mode's construction to its destruction.
#pragma once
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

// Declared here because their header, ATen/autocast_mode.h, includes all operators and doubles the compile time.
namespace at::autocast {
TORCH_API bool is_autocast_enabled(at::DeviceType);
TORCH_API void set_autocast_enabled(at::DeviceType, bool);
TORCH_API at::ScalarType get_autocast_dtype(at::DeviceType);
TORCH_API void set_autocast_dtype(at::DeviceType, at::ScalarType);
TORCH_API void clear_cache();
TORCH_API int increment_nesting();
TORCH_API int decrement_nesting();
}  // namespace at::autocast

struct Mode {
  virtual ~Mode() = default;
};

struct NoGrad : Mode {
  at::NoGradGuard guard;
};

struct Inference : Mode {
  c10::InferenceMode guard{true};
};

// Autocast serves both kinds of device at once; float32 (or any type that is no half type) turns it off.
struct Autocast : Mode {
  static constexpr at::DeviceType kinds[] = {at::kCPU, at::kCUDA};
  bool enabled[2];
  at::ScalarType dtype[2];

  explicit Autocast(at::ScalarType to) {
    for (int i = 0; i < 2; i++) {
      enabled[i] = at::autocast::is_autocast_enabled(kinds[i]);
      dtype[i] = at::autocast::get_autocast_dtype(kinds[i]);
      const bool half = to == at::kBFloat16 || to == at::kHalf;
      at::autocast::set_autocast_enabled(kinds[i], half);
      if (half) at::autocast::set_autocast_dtype(kinds[i], to);
    }
    at::autocast::increment_nesting();
  }
  ~Autocast() override {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    for (int i = 0; i < 2; i++) {
      at::autocast::set_autocast_enabled(kinds[i], enabled[i]);
      at::autocast::set_autocast_dtype(kinds[i], dtype[i]);
    }
  }
};
