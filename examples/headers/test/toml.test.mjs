// pipeline.toml does what the C program of the demo does.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { BUILD, EXAMPLE, Run } from './pipeline.mjs'
import { makeFiles, makeLongWork } from './tree.mjs'

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'headers-toml-'))
const inRoom = (name) => path.join(room, name)
const polyproc = path.resolve(BUILD, '../target/cli/polyproc')
const figures = path.join(BUILD, 'headers/headers.json')

const pipeline = (input) =>
  new Run([polyproc, 'run', path.join(EXAMPLE, 'pipeline.toml')], { INPUT: input, HTML: inRoom('headers.html') })

before(() => {
  makeFiles(inRoom('files'), 300)
  makeLongWork(inRoom('long'))
})

after(() => fs.rmSync(room, { recursive: true }))

test('killed workers start again, and nothing is lost or counted twice', async () => {
  const run = pipeline(inRoom('files'))
  const killed = new Set()
  while (run.child.exitCode === null && killed.size < 3) {
    const pid = run.children('worker').find((pid) => !killed.has(pid))
    if (pid) {
      process.kill(pid, 'SIGKILL')
      killed.add(pid)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(await run.end(), 0, run.output)
  for (const pid of killed)
    assert.match(run.stderr, new RegExp(`worker-\\d \\(pid ${pid}\\) was ended by signal 9; it is started again`))
  assert.match(run.stdout, /The 20 most frequent identifiers/)
  const recount = new Run(['node', path.join(EXAMPLE, 'recount.mjs'), inRoom('files'), figures])
  assert.equal(await recount.end(), 0, recount.output)
})

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGKILL', 'SIGKILL']]) {
  test(`${signal} ends every process`, async () => {
    const run = pipeline(inRoom('long'))
    await run.atWork()
    run.child.kill(signal)
    assert.equal(await run.end(), code, run.output)
    assert.equal(run.stdout, '')
  })
}
