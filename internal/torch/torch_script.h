// The C interface to networks in TorchScript; see torch.h for its words.
#pragma once
#include "torch.h"

#ifdef __cplusplus
extern "C" {
#endif

// torch_script_load reads a file of torch.jit.save onto a device, with floating parameters and buffers in a type.
torch_result torch_script_load(const char* path, uint64_t device, int dtype, torch_ref* out);
void torch_script_free(torch_ref script);

// torch_script_state gives the tensors in the order of state_dict and their names, one a line, after p for a parameter
// or b for a buffer; names is from malloc.
torch_result torch_script_state(torch_ref script, uint64_t* out, int64_t capacity, char** names);

// torch_script_forward gives what forward returns: one tensor, or those of a tuple or list.
torch_result torch_script_forward(torch_ref script, uint64_t thread, torch_ref input, int training, uint64_t* out, int64_t capacity);

#ifdef __cplusplus
}
#endif
