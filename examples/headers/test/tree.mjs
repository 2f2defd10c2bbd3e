// A small tree with everything that a real one may have, and the expected result.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

// Names are bytes: `\xff` is not UTF-8.
const bytes = (name) => Buffer.from(name, 'latin1')
const at = (directory, name) => Buffer.concat([Buffer.from(directory), bytes(`/${name}`)])

const READABLE = {
  'empty.h': '',
  'plain.h': 'int alpha(int beta);\n',
  'no newline.hpp': 'alpha // gamma\n"alpha" delta',
  'new\nline.hh': 'alpha alpha\n',
  'caf\xc3\xa9.hxx': 'alpha /* beta */ epsilon\n',
  'not utf8 \xff\xfe.h': 'zeta \xff eta\n',
  'escape \x1b[31m<b>&"\'.h': '__proto__ constructor toString hasOwnProperty\n',
  '-rf.h': 'alpha\n',
  '.h': 'hidden\n',
  'proto.h': '__proto__ __proto__\n',
}
const OTHER = { 'main.c': 'alpha\n', 'notes.txt': 'alpha\n', 'h': 'alpha\n', 'x.h.orig': 'alpha\n' }

/** Fills `directory`, and returns the names of the unreadable and of the binary files. */
export function makeTree(directory) {
  fs.mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries({ ...READABLE, ...OTHER }))
    fs.writeFileSync(at(directory, name), bytes(text))

  fs.mkdirSync(at(directory, 'deep.h/er'), { recursive: true })
  fs.writeFileSync(at(directory, 'deep.h/er/there.h'), 'int there;\n')
  fs.symlinkSync('plain.h', at(directory, 'link.h'))
  fs.symlinkSync('..', at(directory, 'deep.h/up'))
  fs.symlinkSync('.', at(directory, 'round'))

  fs.writeFileSync(at(directory, 'binary.h'), 'alpha\0beta\n')
  fs.writeFileSync(at(directory, 'late.h'), `${'alpha\n'.repeat(50_000)}\0`)

  fs.symlinkSync('nowhere.h', at(directory, 'dangling.h'))
  fs.symlinkSync('loop.h', at(directory, 'loop.h'))
  fs.symlinkSync('deep.h', at(directory, 'directory.h'))
  execFileSync('mkfifo', [path.join(directory, 'fifo.h')])
  fs.writeFileSync(at(directory, 'secret.h'), 'alpha\n')
  fs.chmodSync(at(directory, 'secret.h'), 0o000)
  fs.mkdirSync(at(directory, 'locked'))
  fs.writeFileSync(at(directory, 'locked/unseen.h'), 'alpha\n')
  fs.chmodSync(at(directory, 'locked'), 0o000)

  return {
    files: Object.keys(READABLE).length + 2,
    binary: ['binary.h', 'late.h'],
    unreadable: ['dangling.h', 'directory.h', 'fifo.h', 'locked', 'loop.h', 'secret.h'],
  }
}

/** `count` files of a few kilobytes, all different. */
export function makeFiles(directory, count) {
  fs.mkdirSync(directory, { recursive: true })
  for (let i = 0; i < count; i++) {
    const lines = Array.from({ length: 200 }, (_, line) => `int name_${i}_${line % 50}; /* ${line} */`)
    fs.writeFileSync(path.join(directory, `file${i}.h`), `${lines.join('\n')}\n`)
  }
}

/** Seconds of work in little space: many names of one large file. */
export function makeLongWork(directory) {
  fs.mkdirSync(directory, { recursive: true })
  const first = path.join(directory, 'file0.h')
  fs.writeFileSync(first, 'int some_name, other_name;\n'.repeat(40_000))
  for (let i = 1; i < 2000; i++) fs.linkSync(first, path.join(directory, `file${i}.h`))
}

/** Removes a tree, whatever its permissions. */
export function removeTree(directory) {
  fs.chmodSync(at(directory, 'locked'), 0o700)
  fs.rmSync(directory, { recursive: true })
}
