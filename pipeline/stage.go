// Package pipeline names what the rest of the runner speaks of.
//
// A stage kind ("train") says once, as a Stage, what a node of that kind leaves behind and which program does the work.
// A node is one stage of a spec with its matrix values, fit[loss=cyborg,seed=3]. An attempt is one try at a node; an
// artifact is what a successful attempt left, kept under the node's key. The runner never does a stage's work itself:
// it starts a worker process for it (package executor), whatever the kind.
package pipeline

// Program is the executable that does the work of a stage kind.
type Program string

// The two programs. Runner kinds are pure Go and are done by `cyborg-run work`; Torch kinds need tensors or exact
// images and are done by `cyborg-torch work`.
const (
	Runner Program = "cyborg-run"
	Torch  Program = "cyborg-torch"
)

// Stage declares a kind of stage.
type Stage struct {
	Kind string

	// Revision is part of every key of this kind. Raise it when the same inputs give other bytes.
	Revision int

	Program Program

	// Tensors says that results depend on the device, the libtorch version and the number of threads, which then are
	// part of the key.
	Tensors bool

	// Named says that results depend on what the node is called, and on the names and matrix values of the nodes whose outputs
	// it takes, which then are part of the key. Elsewhere it does not matter what a node is called that made the same bytes.
	Named bool

	// Outputs must exist below out/ when the worker has exited with 0, else the attempt failed.
	Outputs []string

	// Publish says where outputs appear in the run's folder. {node} stands for the node's name; a folder is published
	// with all that is in it.
	Publish []Publication
}

// Publication is one output (a file or a folder below out/) and its place in the run's folder.
type Publication struct{ Output, To string }
