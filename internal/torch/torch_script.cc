#include "torch_script.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <string>

#include "borrow.h"
#include "guard.h"
#include "mode.h"

namespace {

using torch::jit::Module;

Module& module(torch_ref r) { return *reinterpret_cast<Module*>(r); }

// visit goes through all parameters and buffers in the order of state_dict: a module's own before its children's.
template <class F>
void visit(const Module& root, F&& f) {
  for (const auto& m : root.named_modules()) {
    const auto prefix = m.name.empty() ? "" : m.name + ".";
    for (const auto& p : m.value.named_parameters(/*recurse=*/false)) f(prefix + p.name, true, p.value);
    for (const auto& b : m.value.named_buffers(/*recurse=*/false)) f(prefix + b.name, false, b.value);
  }
}

}  // namespace

torch_result torch_script_load(const char* path, uint64_t on, int dtype, torch_ref* out) {
  return guarded([&] {
    auto m = std::make_unique<Module>(torch::jit::load(path, device(on)));
    const auto type = static_cast<at::ScalarType>(dtype);
    visit(*m, [&](const std::string&, bool learned, at::Tensor t) {
      if (t.is_floating_point() && t.scalar_type() != type) t.set_data(t.detach().to(type));
      if (learned) t.set_requires_grad(true);
    });
    *out = reinterpret_cast<torch_ref>(m.release());
  });
}

void torch_script_free(torch_ref script) { delete &module(script); }

torch_result torch_script_state(torch_ref script, uint64_t* out, int64_t capacity, char** names) {
  int64_t count = 0;
  auto result = guarded([&] {
    std::string text;
    visit(module(script), [&](const std::string& name, bool learned, const at::Tensor& t) {
      if (count < capacity) out[count] = give(t);
      text += (learned ? "p" : "b") + name + "\n";
      count++;
    });
    *names = strdup(text.c_str());
  });
  result.count = count;
  return result;
}

torch_result torch_script_forward(torch_ref script, uint64_t thread, torch_ref input, int training, uint64_t* out, int64_t capacity) {
  int64_t count = 0;
  auto result = guarded([&] {
    onThread(thread);
    // Without the optimising executor, operators run and are recorded one by one, as in PyTorch without TorchScript: the
    // same numbers, and no first runs that are spent on profiling.
    torch::jit::GraphOptimizerEnabledGuard plain(false);
    auto& m = module(script);
    m.train(training != 0);
    const auto value = m.forward({borrow(input)});
    std::vector<at::Tensor> tensors;
    if (value.isTensor()) {
      tensors.push_back(value.toTensor());
    } else if (value.isTensorList()) {
      tensors = value.toTensorVector();
    } else if (value.isTuple()) {
      for (const auto& e : value.toTupleRef().elements()) {
        TORCH_CHECK(e.isTensor(), "forward returns a tuple with a ", e.tagKind(), " in it; logits, or logits and the feature map, are needed");
        tensors.push_back(e.toTensor());
      }
    } else {
      TORCH_CHECK(false, "forward returns a ", value.tagKind(), "; logits, or logits and the feature map, are needed");
    }
    TORCH_CHECK(static_cast<int64_t>(tensors.size()) <= capacity, "forward returns ", tensors.size(), " tensors; logits, or logits and the feature map, are needed");
    for (auto& t : tensors) out[count++] = give(std::move(t));
  });
  result.count = count;
  return result;
}
