package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead: whatever the bytes, reading ends in a File whose tensors hold what their shapes say, or in an error.
func FuzzRead(f *testing.F) {
	var whole bytes.Buffer
	if err := encode(&whole, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(entries("data.pkl", plainTensor, "byteorder", "little", "data/0", four))
	f.Add(entries("data.pkl", "\x80\x02cos\nsystem\nX\x04\x00\x00\x00echo\x85R."))
	f.Add(legacyFile(plainTensor, keyZero, fourElem+four))
	var safe bytes.Buffer
	if err := encodeSafetensors(&safe, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(safe.Bytes())
	f.Add([]byte("\x37\x00\x00\x00\x00\x00\x00\x00" + `{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}` + four))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		for _, x := range got.Tensors {
			n, ok := numel(x.Shape)
			if !ok || len(x.Data) != n*x.DType.Size() {
				t.Errorf("tensor %q: %d bytes for %v of %s", x.Name, len(x.Data), x.Shape, x.DType)
			}
		}
	})
}

// FuzzPickle runs the pickle machine alone, which a zip's checksums hide from mutations.
func FuzzPickle(f *testing.F) {
	for _, seed := range []string{plainTensor, "\x80\x02ccollections\nCounter\nq\x00}K\x03K\x02s\x85q\x01Rh\x00h\x01R.",
		"\x80\x04\x8c\x02os\x8c\x06system\x93.", "\x80\x02}q\x00(h\x00NJ\x01\x00\x00\x00u."} {
		f.Add([]byte(seed))
	}
	var storages storageTable
	storages.index = map[memory]int{}
	program, err := pickle(&storages, func(p *pickler) { p.file(sample()) })
	if err != nil {
		f.Fatal(err)
	}
	f.Add(program)
	f.Fuzz(func(t *testing.T, program []byte) {
		storages := map[string]*storage{}
		root, err := newUnpickler(bytes.NewReader(program), func(id any) (any, error) {
			s, _, err := storageOf(id, 5)
			if err != nil || s.numel > 1<<16 {
				return nil, damaged("no such storage")
			}
			s.data = make([]byte, s.numel*s.dtype.Size())
			return share(storages, s)
		}).load()
		if err != nil {
			return
		}
		fromObjects(root, 1<<20) //nolint:errcheck // an error is an answer
	})
}

func BenchmarkReadResNet50(b *testing.B) {
	path := filepath.Join(b.TempDir(), "r50.pth")
	f := &File{}
	for range 160 { // as many tensors and bytes as ResNet-50 has
		f.Tensors = append(f.Tensors, Tensor{Name: string(rune('a' + len(f.Tensors))), DType: Float32, Shape: []int{160_000}, Data: make([]byte, 640_000)})
	}
	if err := Write(path, f); err != nil {
		b.Fatal(err)
	}
	info, _ := os.Stat(path)
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := Read(path); err != nil {
			b.Fatal(err)
		}
	}
}
