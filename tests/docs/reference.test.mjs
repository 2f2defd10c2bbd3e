// Every exported name of a binding, and every metric of the exporter, is on its page of the book.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { read, ROOT } from './pages.mjs'

const REFERENCE = 'docs/book/reference'

/**
 * The names that a page lacks. A name is 'Name', or 'Type.member': a section under a heading of two
 * signs then has both words.
 */
function missing(page, names) {
  const text = read(`${REFERENCE}/${page}`)
  const sections = text.split(/^## /m)
  const has = (part, word) => /^\w+$/.test(word) ? new RegExp(`\\b${word}\\b`).test(part) : part.includes(word)
  return names.filter((name) => {
    const [, type, member] = name.match(/^(\w+)\.(.+)$/) ?? [name, name, name]
    return !sections.some((part) => has(part, type) && has(part, member))
  })
}

/** The blocks of a source that begin with a line that `begin` matches and end with an unindented line. */
function blocks(source, begin) {
  return [...source.matchAll(begin)].map((match) => {
    const body = source.slice(match.index + match[0].length)
    return { name: match[1], body: body.slice(0, body.search(/^\S/m) >>> 0) }
  })
}

test('the page about Go names every exported name of the package', () => {
  const text = execFileSync('go', ['doc', '-all'], { cwd: path.join(ROOT, 'bindings/go'), encoding: 'utf8' })
  const names = [...text.matchAll(/^(?:func|type|var|const) ([A-Z]\w*)/gm)].map(([, name]) => name)
  names.push(...[...text.matchAll(/^\t([A-Z]\w*)(?: \w+)? += /gm)].map(([, name]) => name)) // constants
  names.push(...[...text.matchAll(/^func \(\w+ \*?(\w+)(?:\[.*?\])?\) (\w+)\(/gm)].map(([, type, method]) => `${type}.${method}`))
  for (const { name: type, body } of blocks(text, /^type (\w+) struct \{\n/gm)) {
    const fields = [...body.matchAll(/^\t((?:[A-Z]\w*, )*[A-Z]\w*)(?: |$)/gm)].flatMap(([, field]) => field.split(', '))
    names.push(...fields.map((field) => `${type}.${field}`))
  }
  assert.ok(names.length > 300, `${names.length} names`)
  assert.deepEqual(missing('go.md', names), [])
})

test('the page about Node names every exported name of index.d.ts', () => {
  const source = read('bindings/node/index.d.ts').replace(/\/\*\*[^]*?\*\//g, '')
  const names = [...source.matchAll(/^export (?:class|interface|type|function|const) (\w+)/gm)].map(([, name]) => name)
  for (const { name: type, body } of blocks(source, /^(?:export |declare abstract )(?:class|interface) (\w+)[^\n]*\{\n/gm)) {
    const members = [...body.matchAll(/^ {2}(?:static |readonly )*(\w+|\[Symbol\.\w+\])(?:[?(:<])/gm)].map(([, member]) => member)
    const shared = type === 'SharedObject' || type === 'PoolInfo'
    names.push(...members.filter((member) => member !== 'constructor').map((member) => shared ? member : `${type}.${member}`))
  }
  assert.ok(names.length > 250, `${names.length} names`)
  assert.deepEqual(missing('node.md', names), [])
})

test('the page about Python names every public name of the package and its stubs', () => {
  const folder = 'bindings/python/python/polyproc'
  const lists = (file) => [...read(`${folder}/${file}`).match(/^__all__ = \[([^]*?)\]/m)[1].matchAll(/"(\w+)"/g)].map(([, name]) => name)
  const names = [...lists('__init__.py'), ...lists('workers.py'), ...lists('errors.py')]
  const members = (file, classes) => blocks(read(`${folder}/${file}`), /^class (\w+)[^\n]*:\n/gm)
    .filter(({ name }) => classes(name))
    .flatMap(({ name: type, body }) => [...body.matchAll(/^ {4}(?:async )?def (\w+)/gm)]
      .map(([, member]) => member)
      .filter((member) => !/^_(?!_)|^__(?:init|new|repr|reduce|del|class_getitem)__/.test(member))
      .map((member) => type.startsWith('_') ? member : `${type}.${member}`))
  const isPublic = (name) => names.includes(name) || ['Connection', '_Shared', '_Acquirable'].includes(name)
  names.push(...members('_core.pyi', isPublic), ...members('queues.pyi', isPublic), ...members('workers.py', isPublic))
  names.push(...members('pool.py', (name) => name === 'Pool'), ...members('executor.py', (name) => name === 'ProcessPoolExecutor'))
  assert.ok(names.length > 180, `${names.length} names`)
  assert.deepEqual(missing('python.md', names), [])
})

test('the page about metrics has those of the exporter, and no other', () => {
  const exporter = read('cli/src/exporter.rs')
  const counters = exporter.match(/const QUEUE_COUNTERS[^]*?\];/)[0]
  const metrics = [...exporter.matchAll(/"(polyproc_\w+)"/g)].map(([quoted, name]) => counters.includes(quoted) ? `${name}_total` : name)
  const rows = [...read(`${REFERENCE}/metrics.md`).matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  assert.ok(metrics.length > 12, metrics.join(' '))
  assert.deepEqual(rows.sort(), metrics.sort())
})
