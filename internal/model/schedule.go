package model

// StepLR lowers the learning rate by the factor Gamma after every Every epochs; zero Every keeps it.
type StepLR struct {
	Every int
	Gamma float64
}

// Rate is the learning rate of an epoch, counted from 0, for the initial rate base. It multiplies again and again, as
// PyTorch does, so that the last digits agree.
func (p StepLR) Rate(base float64, epoch int) float64 {
	rate := base
	for e := p.Every; p.Every > 0 && e <= epoch; e += p.Every {
		rate *= p.Gamma
	}
	return rate
}
