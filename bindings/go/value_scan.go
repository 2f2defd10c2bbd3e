package polyproc

import (
	"encoding/binary"
	"errors"
)

var (
	errTruncated = errors.New("the value goes on past the end of the message")
	errTrailing  = errors.New("the message goes on past the end of the value")
	errDepth     = errors.New("the value is nested too deeply")
	errCode      = errors.New("a byte that MessagePack never uses")
)

// maxDepth is how deeply lists and maps may be nested. A recursive decoder would overflow the
// stack, and a Go program does not survive that.
const maxDepth = 1000

// scan checks that data is one whole MessagePack value before a decoder sees it.
//
// The messages come from another process, in another language. The decoder trusts their lengths and
// allocates as much as they promise: five bytes could make it allocate gigabytes.
func scan(data []byte) error {
	var few [16]uint64
	left := append(few[:0], 1) // how many values each open list or map still has
	for len(left) > 0 {
		top := len(left) - 1
		if left[top] == 0 {
			left = left[:top]
			continue
		}
		left[top]--
		size, values, err := token(data)
		if err != nil {
			return err
		}
		if uint64(len(data)) < size {
			return errTruncated
		}
		data = data[size:]
		// A value takes at least a byte, so data cannot hold more values than bytes.
		if values > uint64(len(data)) {
			return errTruncated
		}
		if values > 0 {
			if len(left) > maxDepth {
				return errDepth
			}
			left = append(left, values)
		}
	}
	if len(data) > 0 {
		return errTrailing
	}
	return nil
}

// token returns how many bytes the value at the start of data takes without the values inside it,
// and how many values are inside.
func token(data []byte) (size, values uint64, err error) {
	if len(data) == 0 {
		return 0, 0, errTruncated
	}
	switch code := data[0]; {
	case code <= 0x7f, code >= 0xe0: // small integers
		return 1, 0, nil
	case code <= 0x8f: // small map
		return 1, 2 * uint64(code&0x0f), nil
	case code <= 0x9f: // small list
		return 1, uint64(code & 0x0f), nil
	case code <= 0xbf: // short string
		return 1 + uint64(code&0x1f), 0, nil
	default:
		return longToken(tokens[code-0xc0], data)
	}
}

// shape is the layout of a token: the code, then a length of some width if there is one, then the
// rest.
type shape struct {
	width uint8 // bytes of the length
	fixed uint8 // bytes besides
	what  lenIs // what the length counts
}

type lenIs uint8

const (
	isNothing lenIs = iota
	isBytes
	isValues
	isPairs
	isUnused
)

// tokens has the shapes of the codes 0xc0 to 0xdf.
var tokens = [32]shape{
	0x00: {},               // nil
	0x01: {what: isUnused}, // never used
	0x02: {}, 0x03: {},     // false, true
	0x04: {width: 1, what: isBytes}, 0x05: {width: 2, what: isBytes}, 0x06: {width: 4, what: isBytes}, // bin
	0x07: {width: 1, fixed: 1, what: isBytes}, 0x08: {width: 2, fixed: 1, what: isBytes}, // ext
	0x09: {width: 4, fixed: 1, what: isBytes},
	0x0a: {fixed: 4}, 0x0b: {fixed: 8}, // float
	0x0c: {fixed: 1}, 0x0d: {fixed: 2}, 0x0e: {fixed: 4}, 0x0f: {fixed: 8}, // uint
	0x10: {fixed: 1}, 0x11: {fixed: 2}, 0x12: {fixed: 4}, 0x13: {fixed: 8}, // int
	0x14: {fixed: 2}, 0x15: {fixed: 3}, 0x16: {fixed: 5}, 0x17: {fixed: 9}, 0x18: {fixed: 17}, // fixext
	0x19: {width: 1, what: isBytes}, 0x1a: {width: 2, what: isBytes}, 0x1b: {width: 4, what: isBytes}, // str
	0x1c: {width: 2, what: isValues}, 0x1d: {width: 4, what: isValues}, // list
	0x1e: {width: 2, what: isPairs}, 0x1f: {width: 4, what: isPairs}, // map
}

func longToken(s shape, data []byte) (size, values uint64, err error) {
	if len(data) < 1+int(s.width) {
		return 0, 0, errTruncated
	}
	var length uint64
	switch s.width {
	case 1:
		length = uint64(data[1])
	case 2:
		length = uint64(binary.BigEndian.Uint16(data[1:]))
	case 4:
		length = uint64(binary.BigEndian.Uint32(data[1:]))
	}
	size = 1 + uint64(s.width) + uint64(s.fixed)
	switch s.what {
	case isBytes:
		return size + length, 0, nil
	case isValues:
		return size, length, nil
	case isPairs:
		return size, 2 * length, nil
	case isUnused:
		return 0, 0, errCode
	}
	return size, 0, nil
}
