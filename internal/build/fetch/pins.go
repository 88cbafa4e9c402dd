package main

// selection says which of a wheel's files are wanted. A higher one contains the lower.
type selection int

const (
	cpu selection = iota + 1
	cuda
)

// pin is one wheel.
type pin struct {
	name, version, sha256 string
	megabytes             int      // to download
	cpu, cuda             []string // paths in the wheel; a path that ends in "/" stands for all below it
}

// files are the paths that s wants.
func (p pin) files(s selection) []string {
	if s == cuda {
		return append(p.cpu[:len(p.cpu):len(p.cpu)], p.cuda...)
	}
	return p.cpu
}

// The wheels are of PyTorch 2.11.0 for Python 3.12, whatever Python the user has: nothing of them runs in Python. The
// versions of the nvidia wheels are those that torch 2.11.0 and the cuda-toolkit 13.0.2 it names require;
// nvidia-cuda-crt is there for one header that the CUDA headers include.
var (
	nvidia = []string{"nvidia/"}

	pins = []pin{
		{"nvidia-cuda-cupti", "13.0.85", "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8", 11,
			[]string{"nvidia/cu13/lib/libcupti.so.13"}, nvidia},
		{"nvidia-cuda-runtime", "13.0.96", "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548", 2,
			[]string{"nvidia/cu13/lib/libcudart.so.13"}, nvidia},
		{"torch", "2.11.0", "0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756", 531,
			[]string{
				"torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libtorch.so", "torch/lib/libgomp.so.1",
				"torch/include/", "torch/version.py",
				"torchgen/packaged/ATen/native/native_functions.yaml", // the operators' schemas, for go generate
				"torch-2.11.0.dist-info/licenses/",
			},
			[]string{"torch/lib/"}},

		{"nvidia-cublas", "13.1.0.3", "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171", 423, nil, nvidia},
		{"nvidia-cuda-crt", "13.0.88", "2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4", 1, nil, nvidia},
		{"nvidia-cuda-nvrtc", "13.0.88", "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575", 90, nil, nvidia},
		{"nvidia-cudnn-cu13", "9.19.0.56", "d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf", 366, nil, nvidia},
		{"nvidia-cufft", "12.0.0.61", "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3", 214, nil, nvidia},
		{"nvidia-cufile", "1.15.1.6", "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44", 1, nil, nvidia},
		{"nvidia-curand", "10.4.0.35", "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc", 60, nil, nvidia},
		{"nvidia-cusolver", "12.0.4.66", "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112", 201, nil, nvidia},
		{"nvidia-cusparse", "12.6.3.3", "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b", 146, nil, nvidia},
		{"nvidia-cusparselt-cu13", "0.8.0", "25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd", 170, nil, nvidia},
		{"nvidia-nccl-cu13", "2.28.9", "e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42", 196, nil, nvidia},
		{"nvidia-nvjitlink", "13.0.88", "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b", 41, nil, nvidia},
		{"nvidia-nvshmem-cu13", "3.4.5", "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80", 60, nil, nvidia},
		{"nvidia-nvtx", "13.0.85", "4936d1d6780fbe68db454f5e72a42ff64d1fd6397df9f363ae786930fd5c1cd4", 1, nil, nvidia},
	}
)
