package main

import "bytes"

// figures are the counts of one file: names[i] occurs counts[i] times.
type figures struct {
	bytes, lines int
	names        []string
	counts       []uint64
}

// count counts the bytes, the lines (an unfinished last one included) and the
// identifiers of a C file.
//
// An identifier starts with a letter or an underscore and goes on through
// letters, digits and underscores, all ASCII; keywords are identifiers too, as
// they are to the preprocessor. Skipped are
//   - comments: /* to */ or the end of the file, // to the end of the line;
//   - literals: from " or ' to the same again, a backslash guarding the byte
//     after it, or to the end of the line where that comes first;
//   - numbers with what sticks to them: 0x1F, 10UL, 1'000'000.
//
// This is not a C compiler's idea of a token to the last detail (a line that a
// backslash continues, a raw string), but it is the same in the recount.
func count(text []byte) figures {
	found := figures{
		bytes: len(text), lines: bytes.Count(text, []byte{'\n'}),
		names: []string{}, counts: []uint64{}, // empty lists for an empty file, not nil
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		found.lines++
	}
	places := map[string]int{}
	for at := 0; at < len(text); {
		c := text[at]
		switch {
		case isLetter(c):
			end := at + 1
			for end < len(text) && isWord(text[end]) {
				end++
			}
			found.add(places, text[at:end])
			at = end
		case isDigit(c):
			at = skipNumber(text, at)
		case c == '"' || c == '\'':
			at = skipLiteral(text, at)
		case c == '/':
			at = skipComment(text, at)
		default:
			at++
		}
	}
	return found
}

// add counts one more of name. A look-up by string(name) copies nothing, so only a name's first
// occurrence allocates.
func (f *figures) add(places map[string]int, name []byte) {
	if place, known := places[string(name)]; known {
		f.counts[place]++
		return
	}
	places[string(name)] = len(f.names)
	f.names = append(f.names, string(name))
	f.counts = append(f.counts, 1)
}

// skipNumber returns where the number that starts at `at` ends. A quote belongs
// to it only between two of its characters.
func skipNumber(text []byte, at int) int {
	for at < len(text) {
		switch {
		case isWord(text[at]):
			at++
		case text[at] == '\'' && at+1 < len(text) && isWord(text[at+1]):
			at += 2
		default:
			return at
		}
	}
	return at
}

// skipLiteral returns where the literal whose opening quote is at `at` ends.
func skipLiteral(text []byte, at int) int {
	quote := text[at]
	for at++; at < len(text); at++ {
		switch text[at] {
		case quote:
			return at + 1
		case '\n':
			return at
		case '\\':
			at++
		}
	}
	return len(text)
}

// skipComment returns where the comment at `at` ends; a slash that starts none
// is passed over.
func skipComment(text []byte, at int) int {
	body := text[at:]
	switch {
	case bytes.HasPrefix(body, []byte("/*")):
		if end := bytes.Index(body[2:], []byte("*/")); end >= 0 {
			return at + 2 + end + 2
		}
		return len(text)
	case bytes.HasPrefix(body, []byte("//")):
		if end := bytes.IndexByte(body, '\n'); end >= 0 {
			return at + end
		}
		return len(text)
	}
	return at + 1
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) }
