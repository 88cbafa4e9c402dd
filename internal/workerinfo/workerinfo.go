// Package workerinfo is what cyborg-torch tells the runner of itself.
package workerinfo

// Info is what `cyborg-torch info` prints as JSON.
type Info struct {
	Libtorch string   `json:"libtorch"`          // 2.11.0
	CUDA     string   `json:"cuda,omitempty"`    // the CUDA version it uses, where it has devices
	Devices  []string `json:"devices"`           // names of the CUDA devices
	NoCUDA   string   `json:"no_cuda,omitempty"` // why there are none
}
