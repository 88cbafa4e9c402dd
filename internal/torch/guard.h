// guarded runs what may throw and turns every exception into a torch_result: none crosses into Go.
#pragma once
#include <c10/util/Exception.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "torch.h"

namespace guard {
extern std::atomic<bool> trace;  // whether failures carry libtorch's C++ backtrace, which is slow to make
}

template <class F>
torch_result guarded(F&& f) noexcept {
  torch_result result{0, nullptr, nullptr, nullptr};
  try {
    f();
  } catch (const c10::Error& e) {
    result.error = strdup(e.what_without_backtrace());
    if (guard::trace) result.trace = strdup(e.what());
  } catch (const std::exception& e) {
    result.error = strdup(e.what());
  } catch (...) {
    result.error = strdup("an exception of unknown type");
  }
  return result;
}
