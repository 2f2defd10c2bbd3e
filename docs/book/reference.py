"""A part of pages.py: the reference pages of C and C++, made from the headers.

`{{#c Queue}}` stands for the functions of the sections of polyproc.h whose title, up to a comma or
a colon, is that word, with the types that they use; or for the constants of such a section. `{{#c
other constants}}` stands for the sections of constants that no page names.
`{{#cpp queue message}}` stands for these names of polyproc.hpp, without the bodies of their
functions. A section or a name that no page takes in is an error, so the pages stay complete.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

import header  # noqa: E402

STATUSES = re.compile(r"((?:(?:OK|OWNER_DIED|E_[A-Z_]+)(?:, )?)+)(?![\w,])\s*(.*)")
TYPE = re.compile(
    r"/\*\*(?:(?!\*/).)*?\*/\n"  # its comment
    r"typedef (?:struct \w+ \{.*?\n\} (\w+);|struct \w+ (\w+);|.*?\(\*(\w+)\).*?;)",
    re.S,
)
OTHERS = "other constants"
TITLE = re.compile(r"^/\* ---- (.*?) ---- \*/$", re.M)


def prose(lines, link=lambda found: found[0]):
    """Lines of a comment as Markdown."""
    out = []
    for text in lines:
        parts = re.split(r"(`[^`]*`)", text)
        plain = (re.sub(r"([<*])", r"\\\1", part) for part in parts[::2])
        parts[::2] = (re.sub(r"\bpolyproc_\w+", link, part) for part in plain)
        out.append("".join(parts))
    return "\n".join(out).strip("\n")


def indented(lines, begin):
    """Joins each line that matches `begin` with the indented lines behind it."""
    joined = []
    for text in lines:
        if joined and text.startswith(" ") and not begin(text):
            joined[-1] += " " + text.strip()
        elif text.strip():
            joined.append(text.strip())
    return joined


def table(title, rows, link):
    cells = ["| %s | %s |" % (name, prose([text], link).replace("|", "\\|")) for name, text in rows]
    return "\n".join([f"| {title} | |", "|---|---|", *cells])


def facts(lines, link):
    """What a function returns, as a table if these are statuses, and the line of other facts."""
    notes = next(
        (i for i, text in enumerate(lines) if not text.startswith(("Returns", " "))), len(lines)
    )
    returns = indented(
        [re.sub(r"^Returns|^ {9}", "", text) for text in lines[:notes]], lambda text: False
    )
    out, rows = [], []
    for text in returns:
        match = STATUSES.match(text)
        if match and text[0].isupper():
            names = match[1].rstrip(", ").split(", ")
            rows.append((", ".join(f"`{name}`" for name in names), match[2]))
        else:
            out.append("Returns " + prose([text], link))
    if rows:
        out.append(table("returns", rows, link))
    others = re.sub(r"\s+", " ", " ".join(lines[notes:])).strip()
    out.append(prose([re.sub(r"^Blocks ", "Blocks: ", others)]))
    return out


def parameters(lines, link):
    rows = []
    for text in indented(lines, lambda text: False):
        match = re.match(r"(\w+(?:, \w+)*) +(.*)", text)
        rows.append((f"`{match[1]}`", match[2]))
    return table("parameter", rows, link) if rows else ""


def function(comment, returns, name, arguments, link):
    description, given, rest = header.sections(comment)
    declared = f"```c\n{returns}{name}({arguments});\n```"
    return [
        f"## {name}",
        declared,
        prose(description, link),
        parameters(given, link),
        *facts(rest, link),
    ]


def constants(text, link):
    """A table of constants; or the lines as they are, if these are initialisers of structs."""
    found = re.findall(r"/\*\*(.*?)\*/\n#define (\w+) (\S+)\n", text + "\n", re.S)
    if "{" in text:
        return f"```c\n{text.strip()}\n```"
    rows = ["| constant | value | |", "|---|---|---|"]
    for comment, name, value in found:
        says = " ".join(
            re.sub(r"^ \* ?", "", line).strip() for line in comment.splitlines()
        ).strip()
        rows.append(f"| `{name}` | {value.strip('()')} | {prose([says], link)} |")
    return "\n".join(rows)


class C:
    """polyproc.h: its sections, and which page has which."""

    def __init__(self):
        text = header.HEADER.read_text()
        text = text[: text.rindex("#ifdef __cplusplus")]
        parts = TITLE.split(text)
        self.sections = dict(zip(parts[1::2], parts[2::2]))
        # The types stand behind the last constants, and have no title.
        self.types = {match[1] or match[2] or match[3]: match[0] for match in TYPE.finditer(text)}
        is_constant = {
            title: not header.FUNCTION.search(part) for title, part in self.sections.items()
        }
        self.constants = {
            title: self.sections[title] for title in self.sections if is_constant[title]
        }
        last = list(self.constants)[-1]
        self.constants[last] = self.constants[last].split("/**\n * A barrier")[0]
        self.homes = {name: self.home(name) for name in self.types}
        self.named, self.taken = set(), {}

    def home(self, name):
        """The first word of the section to which a type belongs."""
        functions = [title for title in self.sections if title not in self.constants]
        own = [
            title
            for title in functions
            if name.startswith("polyproc_" + re.split("[,:]", title)[0].lower())
        ]
        uses = [title for title in functions if re.search(rf"\b{name}\b", self.sections[title])]
        if own or uses:
            return (own or uses)[0]
        return self.home(
            next(other for other, text in self.types.items() if other != name and name in text)
        )

    def of(self, word):
        if word == OTHERS:
            return [title for title in self.constants if title not in self.named]
        found = [title for title in self.sections if re.split("[,:]", title)[0] == word]
        if not found:
            raise SystemExit(f"polyproc.h has no section {word}")
        return found

    def name(self, word):
        """Sees that a page has a section, before the others are counted."""
        if word != OTHERS:
            self.named.update(self.of(word))

    def take(self, word, page):
        for title in self.of(word):
            self.taken[title] = page

    def link(self, page):
        """Makes the name of a function a link to the page that has it, as seen from `page`."""
        homes = {
            found[3]: home
            for title, home in self.taken.items()
            for found in header.FUNCTION.finditer(self.sections[title])
        }

        def link(found):
            name = found[0]
            return (
                f"[{name}]({os.path.relpath(homes[name], page.parent)}#{name})"
                if name in homes
                else name
            )

        return link

    def render(self, word, page):
        out, link = [], self.link(page)
        for title in self.of(word):
            if title in self.constants:
                out += [f"## {title.split(':')[0]}", constants(self.constants[title], link)]
                continue
            for parts in header.FUNCTION.findall(self.sections[title]):
                out += function(*parts, link)
        types = [text for name, text in self.types.items() if self.homes[name] in self.of(word)]
        if types:
            out += ["## Types", "```c\n" + "\n\n".join(types) + "\n```"]
        return "\n\n".join(part for part in out if part)

    def check(self):
        missing = [title for title in self.sections if title not in self.taken]
        if missing:
            raise SystemExit(f"no page of the book has these sections of polyproc.h: {missing}")


# --- C++


def is_whole(statement, pad):
    """Whether a statement has come to its semicolon, or to the brace that closes its body."""
    last = statement[-1]
    if last in (pad + "}", pad + "};"):
        return True
    if re.match(r" *(class|struct) ", statement[0]) and "{" in statement[0]:
        return False
    return last.endswith("{}") or (
        last.endswith(";") and not any("{" in one for one in statement[:-1])
    )


def strip_bodies(lines, indent):
    """The public declarations of a class: comments, and functions without their bodies."""
    out, public, at = [], True, 0
    pad = " " * indent
    while at < len(lines):
        text = lines[at]
        if text.strip() in ("public:", "private:"):
            public = text.strip() == "public:"
            at += 1
            continue
        statement = [text]
        is_code = text.strip() and not text.strip().startswith("//")
        if is_code:
            while not is_whole(statement, pad):
                at += 1
                statement.append(lines[at])
        at += 1
        if not public or text.strip().startswith(("static_assert", "using handle::handle")):
            continue
        out += [declaration("\n".join(statement))] if is_code else statement
    while out and not out[-1].strip():
        out.pop()
    return re.sub(r"\n\n+", "\n\n", "\n".join(out)).strip("\n")


def declaration(code):
    """A statement without the body of a function or of a class inside."""
    nested = re.match(r"( *)(class|struct) (\w+) \{", code)
    if nested:
        return f"{nested[1]}{nested[2]} {nested[3]};"
    if "(" not in code.split("{")[0]:
        return code
    depth, end = 0, len(code)
    for at, letter in enumerate(code):
        depth += (letter == "(") - (letter == ")")
        rest = code[at + 1 :]
        if (
            depth == 0
            and letter == ")"
            and re.match(r"(?: const)?(?: noexcept)?(?:\s+: \w|\s*->|\s*\{|;)| = ", rest)
        ):
            tail = re.match(r"(?: const)?(?: noexcept)?(?: -> [\w:]+)?(?: = \w+)?", rest)[0]
            end = at + 1 + len(tail)
            break
    return code[:end].rstrip(";") + ";"


class Cpp:
    """polyproc.hpp: its names and their declarations."""

    def __init__(self):
        self.names, self.order, self.taken = {}, [], set()
        for file in sorted((ROOT / "bindings/cpp/polyproc").glob("*.hpp")):
            self.read(file.read_text())

    def read(self, text):
        text = text.split("namespace polyproc {\n", 1)[1].rsplit("}  // namespace polyproc", 1)[0]
        inside = re.compile(r"^namespace detail \{\n(.*?)^\}  // namespace detail\n", re.S | re.M)
        for part in inside.findall(text):
            self.entities(part, "detail::")
        self.entities(inside.sub("\n", text), "")

    def entities(self, text, prefix):
        comment, lines, at = [], text.splitlines(), 0
        while at < len(lines):
            line = lines[at]
            if line.startswith("///"):
                comment.append(line[3:].removeprefix(" "))
            elif not line.strip():
                comment = []
            elif not line.startswith("//"):
                statement = [line]
                while statement[-1] not in ("}", "};") and not re.match(r"\S.*;$", statement[-1]):
                    at += 1
                    statement.append(lines[at])
                self.entity(statement, comment, prefix)
                comment = []
            at += 1

    def entity(self, statement, comment, prefix):
        code = "\n".join(statement)
        template = re.match(r"template <.*?>\n", code, re.S)
        rest = code[template.end() :] if template else code
        kind = re.match(r"(?:enum )?(?:class|struct) (\w+)", rest)
        if kind:
            name = kind[1]
            if rest.startswith("enum"):
                shown = code
            else:
                opening, body = re.match(r"(.*?)\{\n?(.*)\};$", rest, re.S).groups()
                opening = re.sub(r" *\n *", " ", opening)
                opening = re.sub(
                    r"(?::|,) public detail::(?:handle|lockable)<.*?>(?= |,|$)", "", opening
                )
                shown = (
                    template[0] if template else ""
                ) + f"{re.sub(' +', ' ', opening).strip()} {{\n"
                shown += strip_bodies(body.splitlines(), 2) + "\n};"
                shown = shown.replace("{\n public:", "{").replace("{\n\n", "{\n")
        else:
            other = re.match(r"(?:using|inline const \w+) (\w+)", rest)
            name = (other or re.search(r"(\w+)\(", rest))[1]
            shown = (template[0] if template else "") + (rest if other else declaration(rest))
            shown = re.sub(r"^(\[\[nodiscard\]\] )?inline ", r"\1", shown)
        full = prefix + name
        if full in self.names:
            before = self.names[full]
            self.names[full] = (before[0] or comment, before[1] + "\n" + shown)
        else:
            self.names[full] = (comment, shown)

    def take(self, names):
        for name in names:
            if name not in self.names:
                raise SystemExit(f"polyproc.hpp has no {name}")
            self.taken.add(name)

    def render(self, names):
        out = []
        for name in names:
            comment, code = self.names[name]
            out += [f"### {name.removeprefix('detail::')}", prose(comment), f"```cpp\n{code}\n```"]
        return "\n\n".join(part for part in out if part)

    def check(self):
        missing = [
            name
            for name in self.names
            if not name.startswith("detail::") and name not in self.taken
        ]
        if missing:
            raise SystemExit(f"no page of the book has these names of polyproc.hpp: {missing}")
