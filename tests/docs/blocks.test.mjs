// Every block of code of a page is part of a file that a test compiles and runs: the page includes
// the file, or has the same lines. A block that is no code is `text`, `console` or `mermaid`.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { fenced, files, indented, pages, read } from './pages.mjs'

/** The folders whose files are compiled and run, and by which test. */
const TESTED = {
  'examples/patterns/': 'make patterns-test',
  'examples/tutorial/': 'make examples-test',
  'examples/meeting/': 'make examples-test',
  'examples/headers/': 'make headers-test',
  'tests/': 'make test',
  'cli/tests/': 'make test-cli',
  'bindings/': 'make test-go, test-node, test-python, test-cpp',
}
const isTested = (file) => Object.keys(TESTED).some((folder) => file.startsWith(folder)) && !file.endsWith('.md')
const NO_CODE = new Set(['text', 'console', 'mermaid'])
/** Pages whose blocks a test takes from the page and runs. */
const RUN_AS_THEY_STAND = {
  'docs/book/languages.md': { test: 'tests/readme/readme.test.mjs', languages: ['c', 'cpp', 'go', 'js', 'rust', 'python', 'sh'] },
  'docs/book/install.md': { test: 'tests/dist/run', languages: ['sh'] },
  'docs/book/command.md': { test: 'cli/tests/book.rs', languages: ['toml'] },
}

/** The lines of a code without what differs between a page and a program: indents, empty lines. */
const lines = (code) => code.split('\n').map((line) => line.trim()).filter(Boolean).join('\n')
const tested = files.filter(isTested).filter((file) => /\.(?:c|h|cpp|hpp|go|js|mjs|ts|py|rs|sh|toml|txt|cmake|yml)$|\/run$/.test(file))
// What tests/dist/run takes from a page counts too.
tested.push('docs/book/install.md')
const texts = new Map(tested.map((file) => [file, `\n${lines(read(file))}\n`]))

function isCovered(page, { language, code }) {
  const includes = [...code.matchAll(/\{\{#include ([^}\s]+)\}\}/g)].map(([, target]) => target)
  if (includes.length > 0) {
    return lines(code) === includes.map((target) => `{{#include ${target}}}`).join('\n') &&
      includes.every((target) => included(page, target))
  }
  if (RUN_AS_THEY_STAND[page]?.languages.includes(language)) return true
  // A line of dots stands for lines that the page leaves out.
  const parts = code.split(/^\s*(?:\/\/ |# )?\.\.\.$/m).map((part) => `\n${lines(part)}\n`)
  return [...texts.values()].some((text) => {
    let at = 0
    return parts.every((part) => (at = text.indexOf(part, at)) >= 0)
  })
}

/** Whether a page includes lines of a tested file. */
function included(page, target) {
  const [file, part] = target.split(':')
  const found = path.join(path.dirname(page), file)
  if (found === 'include/polyproc.h') return true // the reference
  if (!isTested(found) || !files.includes(found)) return false
  if (part === undefined || /^\d*$/.test(part)) return true
  return read(found).includes(`ANCHOR: ${part}\n`)
}

for (const page of pages) {
  test(`the blocks of code of ${page}`, () => {
    const wrong = fenced(read(page)).filter((block) => !NO_CODE.has(block.language) && !isCovered(page, block))
    assert.deepEqual(wrong.map(({ language, line, code }) => `line ${line}, ${language || 'no language'}:\n${code}`), [])
  })

  test(`the commands of ${page}`, () => {
    if (OUTPUTS.has(page)) return
    const wrong = indented(read(page)).flat().filter((line) => !isCommand(line))
    assert.deepEqual(wrong, [])
  })
}

const makefiles = files.filter((file) => /(?:^|\/)Makefile$|\.mk$/.test(file)).map(read).join('\n')
const scripts = JSON.parse(read('bindings/node/package.json')).scripts
const scriptsOfTests = files.filter((file) => /^tests\/\w+\/(?:run|.*\.sh)$/.test(file)).map(read).join('\n')

/** Lists of lines that a program prints, not commands. */
const OUTPUTS = new Set(['examples/test/contract.md'])

/** Whether the tests of the command `polyproc` run each subcommand of a line. */
const testsOfCommand = files.filter((file) => file.startsWith('cli/')).map(read).join('\n')
function usesCommand(line) {
  return [...line.matchAll(/\bpolyproc ([a-z]+)/g)].every(([use]) => testsOfCommand.includes(use))
}

/** A line of an indented block: a target of make or npm that is there, or a command of a test. */
function isCommand(line) {
  const command = line.replace(/ +# .*$/, '').replace(/^(?:\w+=\S+ +)+/, '').trim()
  if (/^(?:find .*\| )?polyproc [a-z]/.test(command)) return usesCommand(command)
  return command.split(' && ').filter(Boolean).every((part) => {
    const [program, ...words] = part.replace(/"[^"]*"/g, '""').split(/\s+/)
    if (program === 'sudo') return isCommand(words.join(' '))
    if (program === 'cd') return true
    if (program === 'make') {
      const targets = words.filter((word) => /^[a-z]/.test(word))
      return targets.every((target) => new RegExp(`^(?:[\\w -]* )?${target}(?: [\\w -]*)?:`, 'm').test(makefiles))
    }
    if (program === 'npm') return ['ci', 'test'].includes(words[0]) || words[1] in scripts
    if (program === 'go' || program === 'cargo') return ['test', 'tool', 'vet'].includes(words[0])
    if (program === 'node') return files.includes(words[0])
    if (program.startsWith('build/examples/')) return files.some((file) => file.startsWith(program.replace(/.*\//, 'examples/tutorial/')))
    return scriptsOfTests.includes(part)
  })
}

test('the quick start of the header is a program that is compiled and run', () => {
  const [, start] = read('include/polyproc.h').match(/ \* QUICK START\n([^]*?)\n \*\n \* IN SHORT/)
  const program = lines(read('examples/patterns/quick_start/quick_start.c'))
  const statements = start.split('\n').map((line) => line.replace(/^ \*/, '').replace(/; {2,}.*$/, ';').trim()).filter(Boolean)
  assert.ok(statements.length > 5)
  let at = 0
  for (const statement of statements) {
    at = program.indexOf(statement, at)
    assert.ok(at >= 0, `${statement} is not in quick_start.c, or not in this order`)
  }
})

test('the metrics of the book are those of the exporter', () => {
  const exporter = read('cli/src/exporter.rs')
  const text = read('docs/book/production.md') + read('examples/patterns/production/alerts.yml')
  const metrics = new Set(text.match(/polyproc_(?:queue|lock|shm)_\w+/g))
  assert.ok(metrics.size >= 6)
  for (const metric of metrics) assert.ok(exporter.includes(`"${metric.replace(/_total$/, '')}`), metric)
})

test('the page about Rust names every public item of the crate', () => {
  const page = read('docs/book/rust.md')
  const uses = [...read('src/lib.rs').matchAll(/^(#\[doc\(hidden\)\]\n)?pub use ([^;]*);/gm)].filter(([, hidden]) => !hidden)
  const items = uses.flatMap(([, , use]) => use.replace(/\w+::/g, '').split(/[{},\s]+(?:\w+ as )?/)).filter(Boolean)
  assert.ok(items.length > 60, items.join(' '))
  assert.deepEqual(items.filter((item) => !new RegExp(`\\b${item}\\b`).test(page)), [])
})

test('your own program takes at most six commands in each language', () => {
  const [, part] = read('docs/book/install.md').split('\n## Your own program\n')
  const programs = fenced(part)
  assert.equal(programs.length, 6)
  for (const { code } of programs) {
    const commands = code.replace(/^(cat > .*)\n[^]*?^END$/m, '$1').trim().split('\n')
    assert.ok(commands.length <= 6 && code.includes('\nEND\n'), commands.join('\n'))
  }
})
