package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cyborg-run/cyborg-run/internal/testenv"
)

// entries makes a zip as torch.save lays it out.
func entries(pairs ...string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		e, _ := w.CreateHeader(&zip.FileHeader{Name: "archive/" + pairs[i], Method: zip.Store})
		e.Write([]byte(pairs[i+1])) //nolint:errcheck // to memory
	}
	w.Close()
	return out.Bytes()
}

// tensorPickle is a state dict {"w": tensor} over storage 0 of count float32, with offset, sizes and strides as pickle
// operations.
func tensorPickle(count byte, offset, shape, stride string) string {
	return "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n" +
		"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK" + string(count) + "tQ" + offset + shape + stride + "\x89)tRs."
}

func legacyFile(objects, keys, storages string) []byte {
	return []byte("\x80\x02" + legacyMagic + "." + "\x80\x02M\xe9\x03." + "\x80\x02}X\x0d\x00\x00\x00little_endian\x88s." + objects + keys + storages)
}

const (
	four     = "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40" // 1, 2, 3, 4
	keyZero  = "\x80\x02]X\x01\x00\x00\x000a."
	fourElem = "\x04\x00\x00\x00\x00\x00\x00\x00"
)

var plainTensor = tensorPickle(4, "K\x00", "K\x04\x85", "K\x01\x85")

func TestReadDamaged(t *testing.T) {
	var whole bytes.Buffer
	if err := encode(&whole, sample()); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole.Bytes())
	flipped[bytes.Index(flipped, []byte("\x00\x00\x80\x3f"))]++ // the first tensor's first byte
	compressed := func() []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		e, _ := w.Create("archive/data.pkl")
		e.Write([]byte(plainTensor)) //nolint:errcheck
		w.Close()
		return out.Bytes()
	}()
	safetensors := func(header, data string) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
	}

	for name, c := range map[string]struct {
		file []byte
		want string // part of the error
	}{
		"empty":                   {nil, "the file is empty: copy or download it again"},
		"text":                    {[]byte("hello"), "neither a .pth of torch.save nor safetensors: save the model's state_dict() by torch.save"},
		"web_page":                {[]byte("<!DOCTYPE html>"), "a web page, not a checkpoint"},
		"git_lfs_pointer":         {[]byte("version https://git-lfs.github.com/spec/v1\n"), "run `git lfs pull`"},
		"plain_pickle":            {[]byte("\x80\x02}."), "a pickle that torch.save did not write"},
		"zip_cut_off":             {whole.Bytes()[:whole.Len()/2], "the zip archive is cut off or damaged (zip: not a valid zip file): copy or download it again"},
		"zip_changed":             {flipped, "data/0: its checksum is"},
		"zip_of_something_else":   {entries("readme.txt", "hello"), "without data.pkl"},
		"torchscript":             {entries("data.pkl", plainTensor, "constants.pkl", ""), "a TorchScript program"},
		"zip_compressed":          {compressed, "data.pkl is compressed"},
		"big_endian":              {entries("data.pkl", plainTensor, "byteorder", "big", "data/0", four), "byte order"},
		"storage_missing":         {entries("data.pkl", plainTensor), "storage data/0 is missing: copy or download it again"},
		"storage_short":           {entries("data.pkl", plainTensor, "data/0", four[:12]), "storage data/0: 12 bytes, where its tensors need 16"},
		"tensor_beyond_storage":   {entries("data.pkl", tensorPickle(4, "K\x01", "K\x04\x85", "K\x01\x85"), "data/0", four), "storage 0: it has 4 elements, too few for a tensor of shape 4"},
		"tensor_before_storage":   {entries("data.pkl", tensorPickle(4, "J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85"), "data/0", four), "a tensor without a size"},
		"tensor_of_absurd_size":   {entries("data.pkl", tensorPickle(4, "K\x00", "J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", "K\x00K\x00K\x00\x87"), "data/0", four), "tensor w: a view of shape"},
		"tensor_larger_than_file": {entries("data.pkl", tensorPickle(4, "K\x00", "J\x00\x00\x00\x40\x85", "K\x00\x85"), "data/0", four), "repeats a storage of 16 bytes: call .clone() on it before saving"},
		"stride_overflows":        {entries("data.pkl", tensorPickle(4, "K\x00", "K\x02\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"), "data/0", four), "too few for a tensor"},
		"pickle_cut_off":          {entries("data.pkl", plainTensor[:40], "data/0", four), "data.pkl: the pickle is cut off: copy or download it again"},
		"no_tensors":              {entries("data.pkl", "\x80\x02}X\x05\x00\x00\x00epochK\x03s."), `it holds no tensors in a state dict (it has "epoch")`},
		"one_tensor":              {entries("data.pkl", "\x80\x02"+plainTensor[9:len(plainTensor)-2]+".", "data/0", four), "it holds one tensor"},
		"legacy_without_storages": {legacyFile(plainTensor, keyZero, ""), "the file ends before storage 0"},
		"legacy_cut_off":          {legacyFile(plainTensor, keyZero, fourElem+four[:9]), "the file ends in storage 0: 9 of its 16 bytes are there"},
		"legacy_other_size":       {legacyFile(plainTensor, keyZero, "\x05"+fourElem[1:]+four), "storage 0: 5 elements, where its tensors name 4"},
		"legacy_storage_missing":  {legacyFile(plainTensor, "\x80\x02].", ""), "storage 0 is missing"},
		"legacy_pickle_cut_off":   {legacyFile(plainTensor[:30], "", ""), "the pickle is cut off"},
		"safetensors_header":      {[]byte("\xff\xff\xff\xff\xff\xff\xff\x7f{"), "a header of 9223372036854775807 bytes in a file of 9"},
		"safetensors_cut_off":     {safetensors(`{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, four[:8]), `tensor "w": bytes 0 to 16 of 8`},
		"safetensors_other_size":  {safetensors(`{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}`, four), `tensor "w": 16 bytes for shape 3 of float32`},
		"safetensors_gap":         {safetensors(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, four), `where 0 comes next`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "r50.pth")
			if err := os.WriteFile(path, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if err == nil || !strings.HasPrefix(err.Error(), "read checkpoint "+path+": ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant  ... %s", err, c.want)
			}
		})
	}

	t.Run("whole", func(t *testing.T) { // the pieces above make readable files when nothing is wrong with them
		for _, file := range [][]byte{
			whole.Bytes(), entries("data.pkl", plainTensor, "data/0", four), legacyFile(plainTensor, keyZero, fourElem+four),
			safetensors(`{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, four),
		} {
			if _, err := read(bytes.NewReader(file), int64(len(file))); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestReadMissingFile(t *testing.T) {
	_, err := Read("weights/r50.pth")
	if want := "read checkpoint weights/r50.pth: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// TestReadWhatIsNoFile: a folder, and a pipe that nobody writes into, are refused and not waited for.
func TestReadWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no pipes here")
	}
	for _, path := range []string{folder, pipe} {
		_, err := Read(path)
		if want := "read checkpoint " + path + ": not a file"; err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

// TestReadRefusesPrograms: a pickle that would run something in Python is refused by the name of what it calls.
func TestReadRefusesPrograms(t *testing.T) {
	hostile := map[string]struct{ pickle, names string }{
		"os.system":      {"\x80\x02cos\nsystem\nX\x04\x00\x00\x00echo\x85R.", "os.system"},
		"eval":           {"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.", "__builtin__.eval"},
		"stack_global":   {"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"},
		"a_whole_module": {"\x80\x02ctorchvision.models.resnet\nResNet\n)\x81.", "torchvision.models.resnet.ResNet"},
		"torch_function": {"\x80\x02ctorch\nload\nX\x01\x00\x00\x00f\x85R.", "torch.load"},
		"dotted_name":    {"\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "torch._utils._rebuild_tensor_v2.__globals__"},
		"numpy_scalar":   {"\x80\x02cnumpy.core.multiarray\nscalar\n.", "numpy.core.multiarray.scalar"},
	}
	for name, c := range hostile {
		for format, file := range map[string][]byte{"zip": entries("data.pkl", c.pickle), "legacy": legacyFile(c.pickle, "", "")} {
			t.Run(name+"_"+format, func(t *testing.T) {
				_, err := read(bytes.NewReader(file), int64(len(file)))
				if err == nil || !strings.Contains(err.Error(), "it names "+c.names+", ") || !strings.Contains(err.Error(), "nothing was run") {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

// TestReadRefusesPythonObjects: what pickle.dumps makes of an object with __reduce__.
func TestReadRefusesPythonObjects(t *testing.T) {
	folder := t.TempDir()
	testenv.RunPython(t, `
import os, sys, torch
class Evil:
    def __reduce__(self): return os.mkdir, (sys.argv[1] + "/run",)
torch.save({"state_dict": {"w": torch.ones(2)}, "evil": Evil()}, sys.argv[1] + "/evil.pth")
`, folder)
	_, err := Read(filepath.Join(folder, "evil.pth"))
	if err == nil || !strings.Contains(err.Error(), "it names posix.mkdir") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "run")); err == nil {
		t.Error("the pickle was run")
	}
}

// TestReadBoundsPickles: programs that are short and would make much are stopped.
func TestReadBoundsPickles(t *testing.T) {
	// A list, twice in a list, twice in a list, and so on 40 times.
	list := "]" + strings.Repeat("q\x010]h\x01ah\x01a", 40)
	laughs := "\x80\x02}X\x05\x00\x00\x00model" + plainTensor[2:len(plainTensor)-1] + "sX\x05\x00\x00\x00extra" + list + "s."
	for name, c := range map[string]struct{ pickle, want string }{
		"stack":        {"\x80\x02" + strings.Repeat("N", maxObjects+1), "more than 1048576 objects"},
		"marks":        {"\x80\x02" + strings.Repeat("(", maxObjects+1), "more than 1048576 marks"},
		"operations":   {"\x80\x02" + strings.Repeat("}0", maxOps/2+1), "more than 8388608 operations"},
		"long_text":    {"\x80\x02X\xff\xff\xff\xff", "a pickle of more than 32 MB"},
		"text_cut_off": {"\x80\x02X\xff\xff\xff\x00abc", "the pickle is cut off"},
		"lists":        {laughs, "too many or too deeply nested values"},
		"stack_empty":  {"\x80\x020", "takes from an empty stack"},
		"below_mark":   {"\x80\x02N(\x85", "takes from an empty stack"},
		"no_mark":      {"\x80\x02t", "has no mark"},
		"memo":         {"\x80\x02h\x07", "recalls memo 7"},
		"operation":    {"\x80\x02i", "operation 0x69"},
	} {
		t.Run(name, func(t *testing.T) {
			file := entries("data.pkl", c.pickle, "data/0", four)
			_, err := read(bytes.NewReader(file), int64(len(file)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant  ... %s", err, c.want)
			}
		})
	}
}
