# Converts cbindgen's output to the header for C programmers. See src/ffi/mod.rs.

# The fence that makes the table of a function a block in rustdoc.
/^ \* ```/d

# A comment of one line takes one line.
/^ *\/\*\*$/ {
    N
    N
    s|^( *)/\*\*\n *\* ([^\n]*)\n *\*/$|\1/** \2 */|
}

# <!-- Title --> at the top of a doc comment becomes a heading above it.
s|^/\*\*\n \* <!-- ([^\n]*) -->\n|/* ---- \1 ---- */\n\n/**\n|

# Constants that are negative stand in parentheses.
s/^(#define POLYPROC_[A-Z_]+) (-[0-9]+)$/\1 (\2)/

# Types go by their typedef.
s/struct (polyproc_[a-z_]+) \*/\1 */g
