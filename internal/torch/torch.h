// The C interface between Go and libtorch. torch.cc implements it; no C++ type and no exception passes through it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A tensor, a generator or a mode as Go holds it: an address, owned by whoever received it; 0 is none.
typedef uint64_t torch_ref;

// What a call gives back. On failure error is text from malloc (and trace, if tracing is on); the caller frees both.
// Where a call gives more words than the caller's buffer holds, they all lie in more, from malloc.
typedef struct {
  int64_t count;
  uint64_t* more;
  char* error;
  char* trace;
} torch_result;

// The words of an argument list: one head word (tag | count << 8), then count words of payload.
enum {
  TORCH_NONE,
  TORCH_TENSOR,
  TORCH_INT,
  TORCH_FLOAT,
  TORCH_BOOL,
  TORCH_STRING,  // count is in bytes, padded to whole words
  TORCH_DEVICE,  // type << 8 | index + 1
  TORCH_GENERATOR,
  TORCH_TENSORS,
  TORCH_OPTIONAL_TENSORS,
  TORCH_INTS,
  TORCH_FLOATS,
  TORCH_BOOLS,
};

// torch_start readies the process (malloc's thresholds); torch_thread names the calling thread.
void torch_start(void);
uint64_t torch_thread(void);

// torch_find looks an operator up that takes at least args arguments; torch_call calls it. A thread other than 0 must be
// the calling one. Results: a tensor, int, bool or float is a word; a list its length and its words; a Scalar a tag and a word.
// A capacity of 0 drops them.
torch_result torch_find(const char* name, const char* overload, int args, torch_ref* op);
torch_result torch_call(torch_ref op, uint64_t thread, const uint64_t* words, int64_t count, uint64_t* out, int64_t capacity);

void torch_free(const torch_ref* tensors, int64_t count);

// torch_meta writes dtype, device, requires_grad, is_leaf, data pointer, number of dimensions n, n sizes, n strides.
torch_result torch_meta(torch_ref tensor, int64_t* out, int64_t capacity);

// torch_from makes a tensor over memory that release(pin), a Go function, gives up when the last user is gone.
torch_result torch_from(void* data, const int64_t* shape, int64_t dims, int dtype, uintptr_t pin, torch_ref* out);
torch_result torch_read(torch_ref tensor, void* data, int64_t bytes);

torch_result torch_backward(uint64_t thread, torch_ref tensor, torch_ref gradient, int retain_graph);
torch_result torch_gradients(uint64_t thread, const torch_ref* outputs, int64_t m, const torch_ref* inputs, int64_t n,
                             int retain_graph, int create_graph, torch_ref* out);
torch_result torch_requires_grad(torch_ref tensor, int on);
torch_result torch_grads(const torch_ref* tensors, int64_t count, torch_ref* out);
void torch_zero_grads(const torch_ref* tensors, int64_t count);

enum { TORCH_NO_GRAD, TORCH_INFERENCE, TORCH_AUTOCAST };
torch_result torch_enter(int mode, int dtype, torch_ref* out);
void torch_leave(torch_ref mode);

torch_result torch_generator(uint64_t device, uint64_t seed, torch_ref* out);
torch_result torch_default_generator(uint64_t device, torch_ref* out);
void torch_generator_free(torch_ref generator);
torch_result torch_generator_seed(torch_ref generator, uint64_t seed);
torch_result torch_generator_state(torch_ref generator, torch_ref* out);
torch_result torch_generator_restore(torch_ref generator, const uint8_t* bytes, int64_t count);

void torch_set_threads(int threads);
int torch_threads(void);
torch_result torch_set_deterministic(int on);
void torch_set_tf32(int on);
void torch_set_trace(int on);

int64_t torch_live(void);
uint64_t torch_malloc_bytes(void);
const char* torch_version(void);
torch_result torch_cpu(char** out);
int torch_dtype_size(int dtype);

#ifdef __cplusplus
}
#endif
