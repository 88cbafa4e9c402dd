package experiment

// Trained is a network with weights, as the stages take it that score and explain: its weights are a node's final.pth.
type Trained struct {
	Model        Model  `json:"model"`
	Precision    string `json:"precision"`
	ChannelsLast bool   `json:"channels_last"`
}

// Network implements WithNetwork.
func (t Trained) Network() Trained { return t }

// WithNetwork is the parameters of a node that trains, brings or uses a network.
type WithNetwork interface{ Network() Trained }
