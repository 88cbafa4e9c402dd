package loss

import "github.com/cyborg-run/cyborg-run/internal/torch"

// auxiliary is the cross-entropy of the network's auxiliary classifier. Szegedy et al., 2014 (arXiv:1409.4842) weigh it
// by 0.3, torchvision's training of Inception v3 by 0.4.
func auxiliary(s *torch.Scope, _ Term, b Batch) torch.Tensor {
	if !b.Auxiliary.Defined() {
		panic("loss: the term auxiliary_cross_entropy needs a network with an auxiliary classifier")
	}
	return CrossEntropy(s, b.Auxiliary, b.Labels)
}
