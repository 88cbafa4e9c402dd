package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
)

// The limits of one pickle. ResNet-152 with its optimizer takes 0.3 MB and 60,000 operations.
const (
	maxPickle  = 32 << 20 // bytes
	maxOps     = 1 << 23  // operations
	maxObjects = 1 << 20  // on the stack, and in the memo
)

// What a pickle's objects become beside nil, bool, int64, float64, string, []byte and *big.Int.
type (
	list  struct{ items []any }
	tuple []any
	// dict keeps the order of its keys, as Python's does.
	dict struct {
		keys, values []any
		index        map[any]int
	}
	// constructor is a function that a pickle may call. The only ones there are stand in lookup.
	constructor struct {
		call   func(args tuple) (any, error)
		tensor bool // what it makes is a tensor
	}
)

func (d *dict) set(key, value any) {
	switch key.(type) {
	case string, int64, float64, bool:
		if i, found := d.index[key]; found {
			d.values[i] = value
			return
		}
		if d.index == nil {
			d.index = map[any]int{}
		}
		d.index[key] = len(d.keys)
	}
	d.keys, d.values = append(d.keys, key), append(d.values, value)
}

func (d *dict) get(key any) any {
	if i, found := d.index[key]; found {
		return d.values[i]
	}
	return nil
}

// unpickler is the machine that a pickle is a program for (Python's pickletools.py describes its operations). It knows
// the binary operations that torch.save writes under protocols 2 to 5.
type unpickler struct {
	in         *bufio.Reader
	read       int64 // bytes taken from in, by all pickles
	copied     int64 // items that constructors were given
	limit      int64 // of read, for this pickle
	stack      []any
	marks      []int // where in the stack the marks stand
	memo       map[uint64]any
	persistent func(id any) (any, error) // what a storage's name stands for
}

func newUnpickler(r io.Reader, persistent func(id any) (any, error)) *unpickler {
	return &unpickler{in: bufio.NewReaderSize(r, 1<<16), persistent: persistent}
}

// malformed is what the machine panics with; load turns it into its error.
type malformed struct{ err error }

func (u *unpickler) fail(format string, args ...any) {
	panic(malformed{fmt.Errorf(format, args...)})
}

// load runs one pickle to its end and returns what it leaves. A next call goes on behind it.
func (u *unpickler) load() (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, ours := r.(malformed)
			if !ours {
				panic(r)
			}
			err = m.err
		}
	}()
	u.stack, u.marks, u.memo = nil, nil, map[uint64]any{}
	u.limit = u.read + maxPickle
	for range maxOps {
		op := u.byte()
		if op == '.' {
			return u.pop(), nil
		}
		u.step(op)
		if len(u.stack) > maxObjects || len(u.memo) > maxObjects {
			u.fail("a pickle of more than %d objects", maxObjects)
		}
	}
	return nil, fmt.Errorf("a pickle of more than %d operations", maxOps)
}

func (u *unpickler) step(op byte) {
	switch op {
	case 0x80: // PROTO
		if v := u.byte(); v < 2 || v > 5 {
			u.fail("pickle protocol %d, where torch.save writes 2 to 5", v)
		}
	case 0x95: // FRAME
		u.bytes(8)

	case 'N': // NONE
		u.push(nil)
	case 0x88: // NEWTRUE
		u.push(true)
	case 0x89: // NEWFALSE
		u.push(false)
	case 'K': // BININT1
		u.push(int64(u.uint(1)))
	case 'M': // BININT2
		u.push(int64(u.uint(2)))
	case 'J': // BININT
		u.push(int64(int32(u.uint(4))))
	case 0x8a: // LONG1
		u.push(long(u.bytes(u.uint(1))))
	case 'G': // BINFLOAT
		u.push(math.Float64frombits(binary.BigEndian.Uint64(u.bytes(8))))
	case 'X', 'T': // BINUNICODE, BINSTRING
		u.push(string(u.bytes(u.uint(4))))
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		u.push(string(u.bytes(u.uint(1))))
	case 0x8d: // BINUNICODE8
		u.push(string(u.bytes(u.uint(8))))
	case 'B': // BINBYTES
		u.push(u.bytes(u.uint(4)))
	case 'C': // SHORT_BINBYTES
		u.push(u.bytes(u.uint(1)))

	case '(': // MARK
		if len(u.marks) >= maxObjects {
			u.fail("a pickle of more than %d marks", maxObjects)
		}
		u.marks = append(u.marks, len(u.stack))
	case '0': // POP
		u.pop()
	case '1': // POP_MARK
		u.popMark()
	case '2': // DUP
		u.push(u.top())

	case ')': // EMPTY_TUPLE
		u.push(tuple{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		u.push(tuple(u.popN(int(op) - 0x84)))
	case 't': // TUPLE
		u.push(tuple(u.popMark()))
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		u.push(&list{})
	case 'a': // APPEND
		u.extend(u.popN(1))
	case 'e', 0x90: // APPENDS, ADDITEMS
		u.extend(u.popMark())
	case '}': // EMPTY_DICT
		u.push(&dict{})
	case 's': // SETITEM
		u.setItems(u.popN(2))
	case 'u': // SETITEMS
		u.setItems(u.popMark())

	case 'q': // BINPUT
		u.memo[u.uint(1)] = u.top()
	case 'r': // LONG_BINPUT
		u.memo[u.uint(4)] = u.top()
	case 0x94: // MEMOIZE
		u.memo[uint64(len(u.memo))] = u.top()
	case 'h': // BINGET
		u.push(u.recall(u.uint(1)))
	case 'j': // LONG_BINGET
		u.push(u.recall(u.uint(4)))

	case 'c': // GLOBAL
		module := u.line()
		u.push(u.global(module, u.line()))
	case 0x93: // STACK_GLOBAL
		names := u.popN(2)
		module, ok1 := names[0].(string)
		name, ok2 := names[1].(string)
		if !ok1 || !ok2 {
			u.fail("a global whose name is not text")
		}
		u.push(u.global(module, name))
	case 'R', 0x81: // REDUCE, NEWOBJ
		call := u.popN(2)
		f, ok1 := call[0].(constructor)
		args, ok2 := call[1].(tuple)
		if !ok1 || !ok2 {
			u.fail("the pickle calls what is not a function")
		}
		u.charge(args, 3)
		u.push(u.must(f.call(args)))
	case 'b': // BUILD: attributes of an object; a state dict's _metadata comes so. None is needed.
		u.pop()
		u.top()
	case 'Q': // BINPERSID
		u.push(u.must(u.persistent(u.pop())))

	default:
		u.fail("pickle operation 0x%02x, which torch.save does not write", op)
	}
}

// charge counts the items of a call's arguments, those of tuples and lists in them included, against the bytes read: more
// than these can only be where the same items are used many times over.
func (u *unpickler) charge(args tuple, depth int) {
	u.copied += int64(len(args))
	for _, a := range args {
		switch a := a.(type) {
		case tuple:
			if depth > 0 {
				u.charge(a, depth-1)
			}
		case *list:
			u.copied += int64(len(a.items))
		case *dict:
			u.copied += int64(len(a.keys))
		}
		if u.copied > u.read {
			u.fail("the pickle makes objects of the same items again and again")
		}
	}
}

func (u *unpickler) must(value any, err error) any {
	if err != nil {
		panic(malformed{err})
	}
	return value
}

func (u *unpickler) global(module, name string) any { return u.must(lookup(module + "." + name)) }

func (u *unpickler) recall(i uint64) any {
	value, found := u.memo[i]
	if !found {
		u.fail("the pickle recalls memo %d, which it never set", i)
	}
	return value
}

func (u *unpickler) extend(items []any) {
	l, ok := u.top().(*list)
	if !ok {
		u.fail("the pickle appends to what is not a list")
	}
	l.items = append(l.items, items...)
}

func (u *unpickler) setItems(items []any) {
	d, ok := u.top().(*dict)
	if !ok || len(items)%2 != 0 {
		u.fail("the pickle sets items of what is not a dict")
	}
	for i := 0; i < len(items); i += 2 {
		d.set(items[i], items[i+1])
	}
}

// The stack. Nothing below the last mark can be taken.

func (u *unpickler) push(value any) { u.stack = append(u.stack, value) }

func (u *unpickler) top() any {
	if u.height() == 0 {
		u.fail("the pickle takes from an empty stack")
	}
	return u.stack[len(u.stack)-1]
}

func (u *unpickler) height() int {
	if n := len(u.marks); n > 0 {
		return len(u.stack) - u.marks[n-1]
	}
	return len(u.stack)
}

func (u *unpickler) pop() any { return u.popN(1)[0] }

func (u *unpickler) popN(n int) []any {
	if u.height() < n {
		u.fail("the pickle takes from an empty stack")
	}
	return u.cut(len(u.stack) - n)
}

func (u *unpickler) popMark() []any {
	n := len(u.marks)
	if n == 0 {
		u.fail("the pickle has no mark")
	}
	at := u.marks[n-1]
	u.marks = u.marks[:n-1]
	return u.cut(at)
}

func (u *unpickler) cut(at int) []any {
	items := append([]any(nil), u.stack[at:]...)
	clear(u.stack[at:])
	u.stack = u.stack[:at]
	return items
}

// The bytes.

func (u *unpickler) byte() byte {
	b, err := u.in.ReadByte()
	if err != nil {
		u.ended(err)
	}
	if u.read++; u.read > u.limit {
		u.fail("a pickle of more than %d MB", maxPickle>>20)
	}
	return b
}

func (u *unpickler) bytes(n uint64) []byte {
	if n > uint64(u.limit-u.read) {
		u.fail("a pickle of more than %d MB", maxPickle>>20)
	}
	var b []byte
	for uint64(len(b)) < n { // in steps, so that a claimed length costs nothing where the bytes are not there
		at := len(b)
		b = append(b, make([]byte, min(n-uint64(at), 1<<20))...)
		if _, err := io.ReadFull(u.in, b[at:]); err != nil {
			u.ended(err)
		}
	}
	u.read += int64(n)
	return b
}

func (u *unpickler) uint(n uint64) uint64 {
	var v uint64
	for i := range n {
		v |= uint64(u.byte()) << (8 * i)
	}
	return v
}

func (u *unpickler) line() string {
	b, err := u.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		u.fail("a name of more than 64 KB")
	}
	if err != nil {
		u.ended(err)
	}
	u.read += int64(len(b))
	return string(b[:len(b)-1])
}

func (u *unpickler) ended(err error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		panic(malformed{damaged("the pickle is cut off")})
	}
	panic(malformed{err})
}

// long is a little-endian two's complement integer: int64, or *big.Int where that is too small.
func long(b []byte) any {
	if len(b) <= 8 {
		var v uint64
		for i, x := range b {
			v |= uint64(x) << (8 * i)
		}
		shift := 64 - 8*len(b)
		return int64(v<<shift) >> shift
	}
	slices.Reverse(b) // SetBytes takes big-endian
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}
