#include "torch.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/from_blob.h>
#include <malloc.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/headeronly/version.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "borrow.h"
#include "guard.h"
#include "mode.h"

extern "C" void goRelease(uintptr_t pin);

namespace {

std::atomic<int64_t> live{0};

// Every OS thread has its own OpenMP settings; a thread adopts the process's number when it first computes.
std::atomic<int> threads{0};
thread_local int adopted = 0;

void adoptThreads() {
  const int wanted = threads.load(std::memory_order_relaxed);
  if (wanted == adopted) return;
  at::set_num_threads(wanted);
  adopted = wanted;
}

}  // namespace

torch_ref give(at::Tensor t) {
  if (!t.defined()) return 0;
  live.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<torch_ref>(t.unsafeReleaseTensorImpl());
}

at::Tensor borrow(torch_ref r) {
  if (r == 0) return {};
  return at::Tensor(c10::intrusive_ptr<at::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(reinterpret_cast<at::TensorImpl*>(r)));
}

std::vector<at::Tensor> borrow(const torch_ref* refs, int64_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (int64_t i = 0; i < count; i++) tensors.push_back(borrow(refs[i]));
  return tensors;
}

at::Device device(uint64_t word) {
  return at::Device(static_cast<at::DeviceType>(word >> 8), static_cast<at::DeviceIndex>(static_cast<int>(word & 0xff) - 1));
}

void onThread(uint64_t thread) {
  TORCH_CHECK(thread == 0 || thread == torch_thread(), "this scope belongs to another goroutine: a goroutine opens its own");
  adoptThreads();
}

namespace {

using at::Tensor;
using c10::IValue;

double number(uint64_t word) {
  double d;
  std::memcpy(&d, &word, sizeof d);
  return d;
}

uint64_t bits(double d) {
  uint64_t word;
  std::memcpy(&word, &d, sizeof word);
  return word;
}

struct Operator {
  c10::OperatorHandle handle;
  const std::vector<c10::Argument>& arguments;
};

template <class T>
c10::List<T> list(const uint64_t* p, int64_t count, T (*convert)(uint64_t)) {
  c10::List<T> l;
  l.reserve(count);
  for (int64_t i = 0; i < count; i++) l.push_back(convert(p[i]));
  return l;
}

// argument reads one argument and moves p behind it.
IValue argument(const uint64_t*& p) {
  const auto tag = *p & 0xff;
  const auto count = static_cast<int64_t>(*p >> 8);
  const uint64_t* at = ++p;
  p += tag == TORCH_STRING ? (count + 7) / 8 : count;
  switch (tag) {
    case TORCH_NONE: return {};
    case TORCH_TENSOR: return borrow(*at);
    case TORCH_INT: return static_cast<int64_t>(*at);
    case TORCH_FLOAT: return number(*at);
    case TORCH_BOOL: return *at != 0;
    case TORCH_STRING: return std::string(reinterpret_cast<const char*>(at), count);
    case TORCH_DEVICE: return device(*at);
    case TORCH_GENERATOR: return *reinterpret_cast<at::Generator*>(*at);
    case TORCH_TENSORS: return list<Tensor>(at, count, [](uint64_t w) { return borrow(w); });
    case TORCH_OPTIONAL_TENSORS:
      return list<std::optional<Tensor>>(at, count, [](uint64_t w) { return w ? std::optional(borrow(w)) : std::nullopt; });
    case TORCH_INTS: return list<int64_t>(at, count, [](uint64_t w) { return static_cast<int64_t>(w); });
    case TORCH_FLOATS: return list<double>(at, count, [](uint64_t w) { return number(w); });
    case TORCH_BOOLS: return list<bool>(at, count, [](uint64_t w) { return w != 0; });
  }
  TORCH_CHECK(false, "argument tag ", tag, " is unknown");
}

// Results collects words in the caller's buffer, and in memory of its own from the first that does not fit.
struct Results {
  uint64_t* out;
  int64_t capacity, count = 0;
  uint64_t* more = nullptr;

  void push(uint64_t word) {
    if (count == capacity) {
      capacity = std::max<int64_t>(64, capacity * 2);
      auto* grown = static_cast<uint64_t*>(std::realloc(more, capacity * sizeof word));
      if (!grown) throw std::bad_alloc();
      if (!more) std::memcpy(grown, out, count * sizeof word);
      out = more = grown;
    }
    out[count++] = word;
  }

  void push(const IValue& v) {
    if (v.isTensor()) return push(give(v.toTensor()));
    if (v.isInt()) return push(static_cast<uint64_t>(v.toInt()));
    if (v.isBool()) return push(static_cast<uint64_t>(v.toBool()));
    if (v.isDouble()) return push(bits(v.toDouble()));
    if (v.isNone()) return push(uint64_t{0});
    const auto tensors = v.toTensorVector();
    push(tensors.size());
    for (const auto& t : tensors) push(give(t));
  }

  void pushScalar(const IValue& v) {
    push(v.isInt() ? TORCH_INT : v.isBool() ? TORCH_BOOL : TORCH_FLOAT);
    push(v);
  }
};

at::Generator& generator(torch_ref r) { return *reinterpret_cast<at::Generator*>(r); }

}  // namespace

namespace guard {
std::atomic<bool> trace{false};
}

void torch_start() {
  // glibc gives large buffers back to the kernel when they are freed, and every step pays for fetching them anew.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2047 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
  // The heaps that other threads than the first would get hold 64 MB at most and fall back to the kernel beyond.
  mallopt(M_ARENA_MAX, 1);
}

uint64_t torch_thread() {
  static thread_local char here;
  return reinterpret_cast<uint64_t>(&here);
}

torch_result torch_find(const char* name, const char* overload, int args, torch_ref* op) {
  return guarded([&] {
    auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
    const auto& schema = handle.schema();
    TORCH_CHECK(static_cast<int>(schema.arguments().size()) >= args, "this libtorch knows another ", name, ": ", schema);
    for (size_t i = args; i < schema.arguments().size(); i++)
      TORCH_CHECK(schema.arguments()[i].default_value(), "this libtorch knows another ", name, ": ", schema);
    *op = reinterpret_cast<torch_ref>(new Operator{handle, handle.schema().arguments()});
  });
}

torch_result torch_call(torch_ref op, uint64_t thread, const uint64_t* words, int64_t count, uint64_t* out, int64_t capacity) {
  Results results{out, capacity};
  auto status = guarded([&] {
    onThread(thread);
    const auto& o = *reinterpret_cast<Operator*>(op);
    torch::jit::Stack stack;
    stack.reserve(o.arguments.size());
    for (const auto* p = words; p < words + count;) stack.push_back(argument(p));
    while (stack.size() < o.arguments.size()) stack.push_back(*o.arguments[stack.size()].default_value());
    o.handle.callBoxed(stack);
    if (capacity == 0) return;
    const auto& returns = o.handle.schema().returns();
    for (size_t i = 0; i < stack.size(); i++) {
      if (returns[i].type()->kind() == c10::TypeKind::NumberType)
        results.pushScalar(stack[i]);
      else
        results.push(stack[i]);
    }
  });
  status.count = results.count;
  status.more = results.more;
  return status;
}

void torch_free(const torch_ref* tensors, int64_t count) {
  for (int64_t i = 0; i < count; i++) c10::raw::intrusive_ptr::decref(reinterpret_cast<at::TensorImpl*>(tensors[i]));
  live.fetch_sub(count, std::memory_order_relaxed);
}

torch_result torch_meta(torch_ref tensor, int64_t* out, int64_t capacity) {
  return guarded([&] {
    const auto t = borrow(tensor);
    const auto n = t.dim();
    TORCH_CHECK(6 + 2 * n <= capacity, "a tensor of ", n, " dimensions is beyond this binding");
    *out++ = static_cast<int64_t>(t.scalar_type());
    *out++ = static_cast<int64_t>(t.device().type()) << 8 | (t.device().index() + 1);
    *out++ = t.requires_grad();
    *out++ = t.is_leaf();
    *out++ = reinterpret_cast<int64_t>(t.has_storage() ? t.const_data_ptr() : nullptr);
    *out++ = n;
    out = std::copy_n(t.sizes().begin(), n, out);
    std::copy_n(t.strides().begin(), n, out);
  });
}

torch_result torch_from(void* data, const int64_t* shape, int64_t dims, int dtype, uintptr_t pin, torch_ref* out) {
  return guarded([&] {
    const auto type = static_cast<at::ScalarType>(dtype);
    auto release = [pin](void*) {
      if (pin) goRelease(pin);
    };
    *out = give(at::from_blob(data, at::IntArrayRef(shape, dims), release, at::TensorOptions().dtype(type)));
  });
}

torch_result torch_read(torch_ref tensor, void* data, int64_t bytes) {
  return guarded([&] {
    at::NoGradGuard off;
    const auto t = borrow(tensor);
    const auto have = t.numel() * static_cast<int64_t>(t.element_size());
    TORCH_CHECK(have == bytes, "the tensor has ", have, " bytes, the buffer ", bytes);
    if (bytes == 0) return;
    if (t.is_cpu() && t.is_contiguous())
      std::memcpy(data, t.const_data_ptr(), bytes);
    else
      at::from_blob(data, t.sizes(), at::TensorOptions().dtype(t.scalar_type())).copy_(t);
  });
}

torch_result torch_backward(uint64_t thread, torch_ref tensor, torch_ref gradient, int retain_graph) {
  return guarded([&] {
    onThread(thread);
    torch::autograd::backward({borrow(tensor)}, {borrow(gradient)}, retain_graph != 0);
  });
}

torch_result torch_gradients(uint64_t thread, const torch_ref* outputs, int64_t m, const torch_ref* inputs, int64_t n,
                             int retain_graph, int create_graph, torch_ref* out) {
  return guarded([&] {
    onThread(thread);
    auto grads = torch::autograd::grad(borrow(outputs, m), borrow(inputs, n), {}, retain_graph != 0, create_graph != 0, true);
    for (int64_t i = 0; i < n; i++) out[i] = give(grads[i]);
  });
}

torch_result torch_requires_grad(torch_ref tensor, int on) {
  return guarded([&] { borrow(tensor).set_requires_grad(on != 0); });
}

torch_result torch_grads(const torch_ref* tensors, int64_t count, torch_ref* out) {
  return guarded([&] {
    for (int64_t i = 0; i < count; i++) out[i] = give(borrow(tensors[i]).grad());
  });
}

void torch_zero_grads(const torch_ref* tensors, int64_t count) {
  for (int64_t i = 0; i < count; i++) borrow(tensors[i]).mutable_grad() = Tensor();
}

torch_result torch_enter(int mode, int dtype, torch_ref* out) {
  return guarded([&] {
    Mode* m = nullptr;
    if (mode == TORCH_NO_GRAD) m = new NoGrad;
    if (mode == TORCH_INFERENCE) m = new Inference;
    if (mode == TORCH_AUTOCAST) m = new Autocast(static_cast<at::ScalarType>(dtype));
    *out = reinterpret_cast<torch_ref>(m);
  });
}

void torch_leave(torch_ref mode) { delete reinterpret_cast<Mode*>(mode); }

torch_result torch_generator(uint64_t on, uint64_t seed, torch_ref* out) {
  return guarded([&] {
    const auto d = device(on);
    auto g = d.is_cpu() ? at::detail::createCPUGenerator(seed) : at::globalContext().getAcceleratorHooksInterface(d.type()).getNewGenerator(d.index());
    g.set_current_seed(seed);
    *out = reinterpret_cast<torch_ref>(new at::Generator(std::move(g)));
  });
}

torch_result torch_default_generator(uint64_t on, torch_ref* out) {
  return guarded([&] { *out = reinterpret_cast<torch_ref>(new at::Generator(at::globalContext().defaultGenerator(device(on)))); });
}

void torch_generator_free(torch_ref r) { delete reinterpret_cast<at::Generator*>(r); }

torch_result torch_generator_seed(torch_ref r, uint64_t seed) {
  return guarded([&] {
    std::lock_guard<std::mutex> lock(generator(r).mutex());
    generator(r).set_current_seed(seed);
  });
}

torch_result torch_generator_state(torch_ref r, torch_ref* out) {
  return guarded([&] {
    std::lock_guard<std::mutex> lock(generator(r).mutex());
    *out = give(generator(r).get_state());
  });
}

torch_result torch_generator_restore(torch_ref r, const uint8_t* bytes, int64_t count) {
  return guarded([&] {
    at::NoGradGuard off;
    auto state = at::from_blob(const_cast<uint8_t*>(bytes), {count}, at::TensorOptions().dtype(at::kByte)).clone();
    std::lock_guard<std::mutex> lock(generator(r).mutex());
    generator(r).set_state(state);
  });
}

void torch_set_threads(int n) { threads.store(n); }

int torch_threads() {
  adoptThreads();
  return at::get_num_threads();
}

torch_result torch_set_deterministic(int on) {
  return guarded([&] {
    auto& context = at::globalContext();
    context.setDeterministicAlgorithms(on != 0, false);
    context.setDeterministicFillUninitializedMemory(false);  // a debugging aid: it would fill every new tensor with NaN
    context.setDeterministicCuDNN(on != 0);
    context.setBenchmarkCuDNN(on == 0);
  });
}

void torch_set_tf32(int on) {
  at::globalContext().setAllowTF32CuBLAS(on != 0);
  at::globalContext().setAllowTF32CuDNN(on != 0);
}

void torch_set_trace(int on) { guard::trace.store(on != 0); }

int64_t torch_live() { return live.load(); }

uint64_t torch_malloc_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

const char* torch_version() { return TORCH_VERSION; }

torch_result torch_cpu(char** out) {
  return guarded([&] { *out = strdup(at::get_cpu_capability().c_str()); });
}

int torch_dtype_size(int dtype) { return static_cast<int>(c10::elementSize(static_cast<at::ScalarType>(dtype))); }
