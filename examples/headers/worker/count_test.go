package main

import (
	"maps"
	"testing"
)

func TestCount(t *testing.T) {
	for _, test := range []struct {
		name, text  string
		lines       int
		identifiers map[string]uint64
	}{
		{"nothing", "", 0, nil},
		{"no newline at the end", "a b\nc", 2, map[string]uint64{"a": 1, "b": 1, "c": 1}},
		{"repeated", "int x; int y;\n", 1, map[string]uint64{"int": 2, "x": 1, "y": 1}},
		{"underscores and digits", "_a1 __b 2c\n", 1, map[string]uint64{"_a1": 1, "__b": 1}},
		{"numbers", "0x1F 10UL 1'000'000 1e5 'x' z\n", 1, map[string]uint64{"z": 1}},
		{"quote after a number", "1' a\nb", 2, map[string]uint64{"b": 1}},
		{"block comment", "a /* b\n * c */ d", 2, map[string]uint64{"a": 1, "d": 1}},
		{"shortest block comments", "a/**/b/*/c*/d", 1, map[string]uint64{"a": 1, "b": 1, "d": 1}},
		{"open block comment", "a /* b", 1, map[string]uint64{"a": 1}},
		{"line comment", "a // b\nc", 2, map[string]uint64{"a": 1, "c": 1}},
		{"open line comment", "a // b", 1, map[string]uint64{"a": 1}},
		{"slash", "a / b /", 1, map[string]uint64{"a": 1, "b": 1}},
		{"literals", `a "b \" c" d 'e' '\'' f`, 1, map[string]uint64{"a": 1, "d": 1, "f": 1}},
		{"literal to the end of the line", "a \"b\nc", 2, map[string]uint64{"a": 1, "c": 1}},
		{"literal over a continued line", "a \"b\\\nc\" d", 2, map[string]uint64{"a": 1, "d": 1}},
		{"backslash at the end", `"\`, 1, nil},
		{"other bytes", "a\xffb é\r\n", 1, map[string]uint64{"a": 1, "b": 1}},
		{"brackets beside letters", "a@b[c`d{e", 1, map[string]uint64{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := count([]byte(test.text))
			if got.bytes != len(test.text) || got.lines != test.lines {
				t.Errorf("got %d bytes, %d lines; want %d, %d", got.bytes, got.lines, len(test.text), test.lines)
			}
			identifiers := map[string]uint64{}
			for i, name := range got.names {
				identifiers[name] += got.counts[i]
			}
			if len(identifiers) != len(got.names) || !maps.Equal(identifiers, test.identifiers) {
				t.Errorf("got %v %v, want %v", got.names, got.counts, test.identifiers)
			}
		})
	}
}
