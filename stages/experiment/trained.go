package experiment

import "github.com/cyborg-run/cyborg-run/pipeline/graph"

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

// ModelPort is the input of a stage that scores or explains: the weights of the node that it needs.
const ModelPort = "model"

// Trained is the network that a cell's node scores or explains: of the one node that it needs, which becomes its input. ok is
// false where that node is wrong, which was reported.
func (b *Builder) Trained(c *Cell, n *graph.Node) (t Trained, ok bool) {
	from, ok := c.Needs[0].Params.(WithNetwork)
	if !ok {
		return t, false
	}
	t = from.Network()
	n.Other = map[string]string{"model": "model"}
	n.Needs = append(n.Needs, graph.Edge{Port: ModelPort, From: c.Needs[0], Output: "final.pth"})
	n.Files = b.FilesOf(t.Model)
	return t, true
}
