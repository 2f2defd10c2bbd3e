import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { asAnyone, BUILD, cannotBeAnyone, demo, EXAMPLE, Run } from './pipeline.mjs'
import { makeFiles, makeLongWork, makeTree, removeTree } from './tree.mjs'

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'headers-test-'))
const inRoom = (name) => path.join(room, name)
// A path below may have bytes that are not UTF-8; an argument that Node passes may not.
const tree = inRoom('a tree <i>&"\' é')
let expected

before(() => {
  expected = makeTree(tree)
  makeFiles(inRoom('files'), 300)
  makeFiles(inRoom('few'), 3)
  makeLongWork(inRoom('long'))
})

after(() => {
  removeTree(tree)
  fs.rmSync(room, { recursive: true })
})

const figures = () => JSON.parse(fs.readFileSync(path.join(BUILD, 'headers/headers.json'), 'utf8'))
const html = inRoom('page/headers.html')

test('a tree with everything odd in it is counted right', { skip: cannotBeAnyone }, async () => {
  const run = demo({ INPUT: tree, CHECK: '1', HTML: html }, asAnyone)
  assert.equal(await run.end(), 0, run.output)
  assert.match(run.stdout, /^recount: equal$/m)
  const { files, unreadable, binary, counts } = figures()
  const names = (paths) => paths.map((name) => Buffer.from(name, 'latin1').toString().slice(tree.length + 1))
  assert.equal(files, expected.files)
  assert.deepEqual(names(unreadable), expected.unreadable)
  assert.deepEqual(names(binary), expected.binary)
  // By hand: plain, no newline, new line (2), cafe, -rf, link; not the comments, literals,
  // binaries.
  assert.equal(new Map(counts).get('alpha'), 7)
  assert.equal(new Map(counts).get('__proto__'), 3)
  assert.match(run.stdout, /unreadable files: 6, binary files: 2/)
  assert.match(run.stdout, /secret\.h: permission denied/)
  assert.ok(!run.stdout.includes('\x1b'), 'an escape sequence reached the output')

  const page = fs.readFileSync(html, 'utf8')
  assert.ok(page.includes('a tree &#60;i&#62;&#38;&#34;&#39; é'), 'the directory is escaped in the page')
  assert.ok(!page.includes('<i>'))
  assert.equal(page.match(/<rect /g).length, Math.min(20, counts.length))
  assert.doesNotMatch(page, /<script|<link|src=|href=|url\(/)
})

test('killed workers are replaced, and nothing is lost or counted twice', async () => {
  const run = demo({ INPUT: inRoom('files'), KILL: '5', CHECK: '1', WORKERS: '3', HTML: html })
  assert.equal(await run.end(), 0, run.output)
  assert.match(run.stdout, /^recount: equal$/m)
  assert.match(run.stdout, /and replaced: 5$/m)
  const killed = run.stdout.match(/worker-\d+ \(pid \d+\)$/gm)
  assert.equal(new Set(killed).size, 5, run.stdout)
  assert.match(run.stdout, /^files redelivered to another worker: \d+$/m)
  assert.equal(figures().files, 300)
})

test('more kills than files', async () => {
  const run = demo({ INPUT: inRoom('few'), KILL: '10', CHECK: '1', WORKERS: '1', HTML: html })
  assert.equal(await run.end(), 0, run.output)
  assert.match(run.stdout, /and replaced: 10$/m)
  assert.equal(figures().files, 3)
})

test('a directory without headers', async () => {
  fs.mkdirSync(inRoom('empty'))
  const run = demo({ INPUT: inRoom('empty'), KILL: '2', CHECK: '1', HTML: html })
  assert.equal(await run.end(), 0, run.output)
  assert.match(run.stdout, /^recount: equal$/m)
})

test('a recount that differs is told', async () => {
  // The recount sees one file more, as if the pipeline had lost it.
  const directory = inRoom('files')
  const extra = path.join(directory, 'extra.h')
  let run = demo({ INPUT: directory, HTML: html })
  assert.equal(await run.end(), 0, run.output)
  fs.writeFileSync(extra, 'int extra;\n')
  run = new Run(['node', path.join(EXAMPLE, 'recount.mjs'), directory, path.join(BUILD, 'headers/headers.json')])
  assert.equal(await run.end(), 1)
  fs.rmSync(extra)
  assert.match(run.stderr, /^recount: different$/m)
  assert.match(run.stderr, /^files: pipeline 300, recount 301$/m)
  assert.match(run.stderr, /^identifier extra: pipeline 0, recount 1$/m)
})

for (const [what, env, message] of [
  ['a directory that does not exist', { INPUT: inRoom('none') }, /cannot read .*none: No such file or directory/],
  ['a file for a directory', { INPUT: path.join(EXAMPLE, 'run') }, /cannot read .*run: Not a directory/],
  ['no number of workers', { WORKERS: 'many' }, /"many" is not a number from 1 to 1000/],
  ['a negative number of kills', { KILL: '-1' }, /"-1" is not a number from 0 to 1000/],
]) {
  test(`${what} is an error at once`, async () => {
    const run = demo({ HTML: html, ...env })
    assert.equal(await run.end(), 2, run.output)
    assert.match(run.stderr, message)
  })
}

for (const [what, signal, toGroup, code] of [
  ['Ctrl-C', 'SIGINT', true, 130],
  ['SIGINT to the C program', 'SIGINT', false, 130],
  ['SIGTERM', 'SIGTERM', false, 143],
  ['the end of the terminal', 'SIGHUP', true, 129],
  ['SIGKILL of the C program', 'SIGKILL', false, 'SIGKILL'],
]) {
  test(`${what} ends every process`, async () => {
    const run = demo({ INPUT: inRoom('long'), HTML: html })
    await run.atWork()
    const { pid } = run.child
    process.kill(toGroup ? -pid : pid, signal)
    assert.equal(await run.end(), code, run.output)
    assert.equal(run.stdout, '')
  })
}

for (const [program, name] of [['worker', 'worker-\\d+'], ['node', 'reporter']]) {
  test(`the ${name.split('-')[0]} that dies by itself is an error`, async () => {
    const run = demo({ INPUT: inRoom('long'), HTML: html })
    await run.atWork()
    const [pid] = run.children(program)
    process.kill(pid, 'SIGKILL')
    assert.equal(await run.end(), 1, run.output)
    assert.match(run.stderr, new RegExp(`${name} \\(pid ${pid}\\) was ended by signal 9`))
  })
}

test('workers that cannot work are an error', async () => {
  const run = new Run([path.join(BUILD, `headers/headers${process.env.ENGINE ? '-cpp' : ''}`), '--worker=/bin/false',
    `--reporter=${path.join(EXAMPLE, 'reporter/main.js')}`, `--html=${html}`, `--json=${inRoom('json')}`, inRoom('files')])
  assert.equal(await run.end(), 1, run.output)
  assert.match(run.stderr, /worker-\d+ \(pid \d+\) ended with exit code 1 before its work was over/)
})

test('on a terminal the bar moves and the chart fits', async () => {
  const script = `stty cols 60 && exec ${path.join(EXAMPLE, 'run')}`
  const run = new Run(['script', '--quiet', '--return', '--echo', 'never', '--command', script, '/dev/null'],
    { INPUT: inRoom('files'), HTML: html, TERM: 'xterm-256color' })
  assert.equal(await run.end(), 0, run.output)
  const plain = run.stdout.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
  assert.match(plain, /100% \| 300\/300 files/)
  const bars = plain.split('\r\n').filter((line) => /^ *(int|name_\d+_\d+) \S+ [\d,]+$/.test(line))
  assert.equal(bars.length, 20, plain)
  for (const line of bars) assert.ok([...line].length <= 60, line)
  assert.ok(run.stdout.includes('\x1b[36m'), 'the bars have a colour')
})
