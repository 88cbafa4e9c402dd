package loss

import "github.com/cyborg-run/cyborg-run/internal/torch"

func crossEntropy(s *torch.Scope, _ Term, b Batch) torch.Tensor {
	return CrossEntropy(s, b.Logits, b.Labels)
}

// CrossEntropy is the batch's mean of -log softmax(logits)[label].
//
//	logits [B,K]    labels [B], int64    result: a scalar in the logits' type
func CrossEntropy(s *torch.Scope, logits, labels torch.Tensor) torch.Tensor {
	return s.CrossEntropyLoss(logits, labels, torch.Tensor{}, torch.ReduceMean, -100, 0)
}
