package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// perByte and base bound what reading may allocate in all, live or not: so many bytes for each of the file's, and the
// buffers and steps that every file costs. A pickle's cheapest object is one byte long and an empty dict of some 60.
const (
	perByte = 200
	base    = 4 << 20
)

// text is a short text as a pickle operation.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// number is an int as a pickle operation.
func number(i int) string {
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(i)))
}

// TestReadHostile reads files that are small and would become large, or that aim beside themselves: each is refused by
// a message that says what is wrong, or read, within memory in proportion to the file's size.
func TestReadHostile(t *testing.T) {
	model := text("model") + plainTensor[2:len(plainTensor)-1] + "s" // an item of the dict below it
	global := func(name string) string {
		i := strings.LastIndexByte(name, '.')
		return "c" + name[:i] + "\n" + name[i+1:] + "\n"
	}
	// store keeps the top of the stack in memo i and takes it away; get brings it back.
	store := func(i byte) string { return "q" + string(i) + "0" }
	get := func(i byte) string { return "h" + string(i) }

	var pairs strings.Builder
	for i := range 50_000 {
		pairs.WriteString(number(i) + "N\x86")
	}
	var items strings.Builder
	for i := range 60_000 {
		items.WriteString(number(i))
	}
	dims := "(" + strings.Repeat("K\x01", 64) + "t"
	storage0 := "(" + text("storage") + global("torch.FloatStorage") + text("0") + text("cpu") + "K\x04tQ"
	pickled := func(program string) []byte { return entries("data.pkl", program, "data/0", four) }

	for name, c := range map[string]struct {
		file []byte
		want string // part of the error; "" where the file is read
	}{
		"one_list_of_pairs_as_many_dicts": {pickled("\x80\x02" + global("collections.OrderedDict") + store(0) + "](" + pairs.String() + "e\x85" + store(1) +
			strings.Repeat(get(0)+get(1)+"R", 50_000) + "."), "makes objects of the same items again and again"},
		"one_dict_as_many_dicts": {pickled("\x80\x02" + global("collections.Counter") + store(0) + "}(" + strings.Repeat("G\x7f\xf8\x00\x00\x00\x00\x00\x00N", 20_000) + "u\x85" + store(1) +
			strings.Repeat(get(0)+get(1)+"R", 50_000) + "."), "makes objects of the same items again and again"},
		"tensors_of_64_dimensions": {pickled("\x80\x02" + global("torch._utils._rebuild_tensor") + store(0) + "(" + storage0 + "K\x00" + dims + dims + "t" + store(1) +
			"](" + strings.Repeat(get(0)+get(1)+"R", 100_000) + "e."), "makes objects of the same items again and again"},
		"calls_in_calls": {pickled("\x80\x02" + global("torch._tensor._rebuild_from_type_v2") + store(0) + "N" + store(2) + ")" + store(1) +
			strings.Repeat(get(0)+get(2)+get(1)+"\x87"+store(1), 300_000) + get(0) + get(1) + "R."), "_rebuild_from_type_v2 with arguments that PyTorch does not write"},
		"groups_of_the_same_parameters": {pickled("\x80\x02}" + model + text("optimizer") + "}" + text("param_groups") + "](}" + text("momentum") + "K\x00s" +
			text("params") + "](" + items.String() + "es" + "q\x00" + strings.Repeat(get(0), 10_000) + "ess."), "optimizer: more than 65536 parameters"},
		"a_list_that_is_no_extra_again_and_again": {pickled("\x80\x02}" + model + "](" + "C\x01x" + items.String() + "e" + store(0) + "(" + func() string {
			var b strings.Builder
			for i := range 20_000 {
				b.WriteString(text(fmt.Sprint(i)) + get(0))
			}
			return b.String()
		}() + "u."), "too many or too deeply nested values"},
		"deep_lists":         {pickled("\x80\x02}" + model + text("extra") + strings.Repeat("]", 500_000) + strings.Repeat("a", 499_999) + "s."), "too many or too deeply nested values"},
		"deep_tuples":        {pickled("\x80\x02}" + model + text("extra") + "N" + strings.Repeat("\x85", 500_000) + "s."), "too many or too deeply nested values"},
		"deep_dicts":         {pickled("\x80\x02" + strings.Repeat("}"+text("model"), 100_000) + "N" + strings.Repeat("s", 100_000) + "."), "it holds no tensors in a state dict"},
		"a_list_in_itself":   {pickled("\x80\x02}" + model + text("extra") + "]q\x00h\x00as."), "too many or too deeply nested values"},
		"a_dict_in_itself":   {pickled("\x80\x02}q\x00" + text("model") + "h\x00s" + text("state_dict") + "h\x00s."), "it holds no tensors in a state dict"},
		"many_dicts":         {pickled("\x80\x02](" + strings.Repeat("}", 1_000_000) + "e."), "it holds no dict"},
		"many_memos":         {pickled("\x80\x02N" + strings.Repeat("\x94", 1_000_000) + "."), "it holds no dict"},
		"many_memos_more":    {pickled("\x80\x02N" + strings.Repeat("\x94", maxObjects+1) + "."), "a pickle of more than 1048576 objects"},
		"many_large_numbers": {pickled("\x80\x02](" + strings.Repeat("\x8a\xff"+strings.Repeat("\x7f", 255), 10_000) + "e."), "it holds no dict"},
		"many_names":         {pickled("\x80\x02(" + strings.Repeat(global("torch.Size"), 100_000) + "l"), "pickle operation 0x6c"},
		"text_of_4_GB":       {pickled("\x80\x02X\xff\xff\xff\xff"), "a pickle of more than 32 MB"},
		"bytes_of_2^63":      {pickled("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"), "a pickle of more than 32 MB"},
		"storage_of_2^47":    {pickled(strings.Replace(plainTensor, "K\x04tQ", "\x8a\x06\x00\x00\x00\x00\x00\x7ftQ", 1)), "storage data/0: 16 bytes, where its tensors need"},
		"one_storage_copied_often": {pickled("\x80\x02}(" + func() string {
			turned := tensorPickle(4, "K\x00", "K\x02K\x02\x86", "K\x01K\x02\x86")
			var b strings.Builder
			for i := range 1000 {
				b.WriteString(text(fmt.Sprint(i)) + "h\x00")
			}
			return text("w") + turned[9:len(turned)-2] + "q\x00" + b.String()
		}() + "u."), "repeats a storage of 16 bytes"},

		"key_that_leads_up":    {entries("data.pkl", strings.Replace(plainTensor, "X\x01\x00\x00\x000", text("../../etc/passwd"), 1), "data/0", four), "storage data/../../etc/passwd is missing"},
		"key_of_another_entry": {entries("data.pkl", strings.Replace(plainTensor, "X\x01\x00\x00\x000", text("../version"), 1), "version", "3\n"), "storage data/../version is missing"},
		"absolute_key":         {entries("data.pkl", strings.Replace(plainTensor, "X\x01\x00\x00\x000", text("/etc/passwd"), 1), "data/0", four), "storage data//etc/passwd is missing"},
		"compressed_storage":   {deflated("data.pkl", plainTensor, "data/0", strings.Repeat("\x00", 64<<20)), "data.pkl is compressed, which torch.save never does"},
		"entries_that_overlap": {overlapping(4000, 1<<16), "in a file that has no room for them"},
		"entry_of_2^40_bytes":  {grown(1 << 40), "in a file that has no room for them"},
		"many_entries":         {entries(append([]string{"data.pkl", plainTensor, "data/0", four}, strings.Split(strings.Repeat("x/x/x/x/x/", 4000), "/")[:4000]...)...), ""},

		"legacy_storage_of_2^47": {legacyFile(strings.Replace(plainTensor, "K\x04tQ", "\x8a\x06\x00\x00\x00\x00\x00\x7ftQ", 1), keyZero, "\x00\x00\x00\x00\x00\x7f\x00\x00"+four), "the file ends in storage 0"},
		"legacy_windows": {legacyFile("\x80\x02}("+text("w")+global("torch._utils._rebuild_tensor")+"(("+text("storage")+global("torch.FloatStorage")+text("0")+text("cpu")+"K\x04"+
			"("+text("v")+"K\x03K\x02ttQ.", keyZero, fourElem+four), "a window that does not lie in it"},

		"safetensors_deep_header":  {safetensorsFile(`{"w":` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + "}"), "safetensors header"},
		"safetensors_many_names":   {safetensorsFile("{" + strings.TrimSuffix(strings.Repeat(`"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`, 20_000), ",") + "}"), ""},
		"safetensors_long_shape":   {safetensorsFile(`{"w":{"dtype":"F32","shape":[` + strings.Repeat("1,", 300_000) + `0],"data_offsets":[0,0]}}`), ""},
		"safetensors_absurd_shape": {safetensorsFile(`{"w":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,0]}}`), `tensor "w"`},
		"safetensors_overlap":      {safetensorsFile(`{"v":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}` + four[:4]), "where 4 comes next"},
		"safetensors_minus":        {safetensorsFile(`{"w":{"dtype":"U8","shape":[-1,-4],"data_offsets":[0,4]}}` + four[:4]), `tensor "w"`},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			f, err := read(bytes.NewReader(c.file), int64(len(c.file)))
			runtime.ReadMemStats(&after)
			if c.want == "" && f == nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v\nwant  ... %s", err, c.want)
			}
			allocated, bound := after.TotalAlloc-before.TotalAlloc, uint64(base+perByte*len(c.file))
			if allocated > bound {
				t.Errorf("a file of %d bytes made %d be allocated, more than %d", len(c.file), allocated, bound)
			}
			t.Logf("%d bytes: %.1f allocated for each, %v", len(c.file), float64(allocated)/float64(len(c.file)), time.Since(began).Round(time.Millisecond))
		})
	}
}

// deflated is a zip whose entries are compressed.
func deflated(pairs ...string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		e, _ := w.Create("archive/" + pairs[i])
		io.WriteString(e, pairs[i+1]) //nolint:errcheck // to memory
	}
	w.Close()
	return out.Bytes()
}

// overlapping is a zip with one storage of that size, which many entries of the directory name as theirs. All of them
// are used.
func overlapping(count, size int) []byte {
	var program strings.Builder
	program.WriteString("\x80\x02}(")
	for i := range count {
		program.WriteString(text(fmt.Sprint(i)) + strings.Replace(plainTensor[9:len(plainTensor)-2], "X\x01\x00\x00\x000", text(fmt.Sprintf("%04d", i)), 1))
	}
	program.WriteString("u.")
	file := entries("data.pkl", program.String(), "data/0000", strings.Repeat("\x00", size))
	end := bytes.LastIndex(file, []byte("PK\x05\x06"))
	directory := int(binary.LittleEndian.Uint32(file[end+16:]))
	first := bytes.Index(file[directory+4:], []byte("PK\x01\x02")) + directory + 4 // of data/0000
	record := bytes.Clone(file[first:end])
	out := bytes.Clone(file[:end])
	for i := 1; i < count; i++ {
		out = append(out, bytes.Replace(record, []byte("0000"), fmt.Appendf(nil, "%04d", i), 1)...)
	}
	tail := bytes.Clone(file[end:])
	binary.LittleEndian.PutUint16(tail[8:], uint16(count+1))
	binary.LittleEndian.PutUint16(tail[10:], uint16(count+1))
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(out)-directory))
	return append(out, tail...)
}

// grown is a zip whose directory gives the storage that size.
func grown(size uint64) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, content := range map[string]string{"archive/data.pkl": plainTensor, "archive/data/0": four} {
		h := &zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(content)),
			UncompressedSize64: uint64(len(content)), CompressedSize64: uint64(len(content))}
		if name == "archive/data/0" {
			h.UncompressedSize64, h.CompressedSize64 = size, size
		}
		e, _ := w.CreateRaw(h)
		io.WriteString(e, content) //nolint:errcheck // to memory
	}
	w.Close()
	return out.Bytes()
}

// safetensorsFile is a header, up to the last brace, and what follows it.
func safetensorsFile(s string) []byte {
	length := strings.LastIndexByte(s, '}') + 1
	return append(binary.LittleEndian.AppendUint64(nil, uint64(length)), s...)
}
