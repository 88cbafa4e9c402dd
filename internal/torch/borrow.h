// How tensors pass between libtorch and the words of torch.h.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

#include "torch.h"

torch_ref give(at::Tensor t);    // the receiver owns it; an undefined tensor is 0
at::Tensor borrow(torch_ref r);  // the giver keeps it
std::vector<at::Tensor> borrow(const torch_ref* refs, int64_t count);
at::Device device(uint64_t word);  // type << 8 | index + 1
void onThread(uint64_t thread);    // fails on another thread than that one, unless it is 0
