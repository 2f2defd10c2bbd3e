// Counts everything again in one plain process, without polyproc, and compares each figure with the
// pipeline's.
//
//     node recount.mjs DIRECTORY headers.json
//
// walk.c and worker/count.go say what a header, a line and an identifier are. This program counts
// them by other means, on purpose.
import fs from 'node:fs'

const HEADER = /\.(h|hh|hpp|hxx)$/
const NEXT = /\/\*|\/\/|["']|[0-9](?:'?\w)*|[A-Za-z_]\w*/g
const LITERAL_END = { '"': /\\[^]|["\n]/g, "'": /\\[^]|['\n]/g }

const found = { files: 0, bytes: 0, lines: 0, identifiers: 0, unreadable: [], binary: [] }
const counts = new Map()

// Paths and contents are bytes, held as strings of one character per byte.
const bytes = (path) => Buffer.from(path, 'latin1')

function* headersBelow(directory) {
  let entries
  try {
    entries = fs.readdirSync(bytes(directory), { encoding: 'buffer', withFileTypes: true })
  } catch {
    found.unreadable.push(directory)
    return
  }
  for (const entry of entries) {
    const name = entry.name.toString('latin1')
    const path = `${directory.replace(/\/+$/, '')}/${name}`
    if (entry.isDirectory()) yield* headersBelow(path)
    else if (HEADER.test(name)) yield path
  }
}

function content(path) {
  let fd
  try {
    fd = fs.openSync(bytes(path), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
    return fs.fstatSync(fd).isFile() ? fs.readFileSync(fd, 'latin1') : undefined
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

// Returns the position after the first `what` (a string, or a pattern that may skip escaped
// characters) from `at` on, or the end.
function after(text, what, at) {
  const place = text.indexOf(what, at)
  return place < 0 ? text.length : place + what.length
}

function afterLiteral(text, quote, at) {
  const end = LITERAL_END[quote]
  end.lastIndex = at
  for (let match; (match = end.exec(text)); ) {
    if (match[0] === quote || match[0] === '\n') return end.lastIndex
  }
  return text.length
}

function countIdentifiers(text) {
  NEXT.lastIndex = 0
  for (let match; (match = NEXT.exec(text)); ) {
    const [token] = match
    if (token === '/*') NEXT.lastIndex = after(text, '*/', NEXT.lastIndex)
    else if (token === '//') NEXT.lastIndex = after(text, '\n', NEXT.lastIndex)
    else if (token === '"' || token === "'") NEXT.lastIndex = afterLiteral(text, token, NEXT.lastIndex)
    else if (token[0] > '9') {
      found.identifiers++
      counts.set(token, (counts.get(token) ?? 0) + 1)
    }
  }
}

function countFile(path) {
  const text = content(path)
  if (text === undefined) found.unreadable.push(path)
  else if (text.includes('\0')) found.binary.push(path)
  else {
    found.files++
    found.bytes += text.length
    found.lines += text === '' ? 0 : text.replace(/\n$/, '').split('\n').length
    countIdentifiers(text)
  }
}

function differences(theirs) {
  const top = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 20)
  found.unreadable.sort()
  found.binary.sort()
  const mine = { ...found, distinct: counts.size, top }
  const lines = Object.entries(mine)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(theirs[name]))
    .map(([name, value]) => `${name}: pipeline ${JSON.stringify(theirs[name])}, recount ${JSON.stringify(value)}`)
  const theirCounts = new Map(theirs.counts)
  for (const name of new Set([...counts.keys(), ...theirCounts.keys()])) {
    const [theirCount, count] = [theirCounts.get(name) ?? 0, counts.get(name) ?? 0]
    if (count !== theirCount) lines.push(`identifier ${name}: pipeline ${theirCount}, recount ${count}`)
  }
  return lines
}

const [directory, json] = process.argv.slice(2)
if (json === undefined) {
  console.error('usage: node recount.mjs DIRECTORY headers.json')
  process.exit(2)
}
for (const path of headersBelow(Buffer.from(directory).toString('latin1'))) countFile(path)
const lines = differences(JSON.parse(fs.readFileSync(json, 'utf8')))
if (lines.length > 0) {
  console.error(['recount: different', ...lines.slice(0, 50)].join('\n'))
  process.exit(1)
}
console.log('recount: equal')
