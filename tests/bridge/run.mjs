// A table of what the bridges do under faults: node run.mjs [ROW]
//
// SECONDS is how long all of it may put messages, AT_ONCE how many rows run at the same time. With
// SHORT the rows of `--ack on-arrival`, which may lose messages, are left out. It exits with 1 unless
// everything that was put is done or is a dead letter, except what a row says may be lost.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { canMakeHosts } from './hosts.mjs'
import { Pipeline } from './pipeline.mjs'
import { ROWS } from './rows.mjs'

const seconds = Number(process.env.SECONDS || 40)
const atOnce = Number(process.env.AT_ONCE || 2)
const perSecond = Number(process.env.RATE || 400)
const rows = ROWS.filter((row) => row.name.includes(process.argv[2] ?? '') && !(row.ack && process.env.SHORT))

if (!canMakeHosts()) {
  console.log('skipped: needs root, for networks of its own')
  process.exit(0)
}
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-bridge-'))

async function measure(row, number) {
  const folder = path.join(room, `${number}`)
  const count = Math.round((seconds / rows.length) * perSecond)
  const pipeline = await Pipeline.create(folder, row.options)
  try {
    pipeline.start({ count, perSecond, poison: row.poison, isLate: row.isLate, ack: row.ack, window: row.window })
    await row.happen(pipeline)
    const result = await pipeline.finish()
    const { put, done, lost, twice, dead, pause } = result
    line(row.name, put, done, lost, twice, dead.length, `${(pause / 1000).toFixed(1)} s`)
    assert.equal(put, count, 'not everything was put')
    const mayLose = row.mayLose ?? 0
    assert.ok(lost <= mayLose, `${lost} messages are lost, and ${mayLose} may be`)
    if (row.isUnharmed) assert.equal(twice, 0, 'messages were done twice')
    row.check?.(pipeline, result)
  } finally {
    await pipeline.end()
  }
}

const line = (...cells) => console.log(`| ${cells.join(' | ')} |`)
line('what happens', 'put', 'done', 'lost', 'done twice', 'dead letters', 'longest pause')
line('---', '---:', '---:', '---:', '---:', '---:', '---:')
let failed = false
const queue = [...rows.entries()]
async function next() {
  for (let entry; (entry = queue.shift()); ) {
    const [number, row] = entry
    try {
      await measure(row, number)
    } catch (error) {
      failed = true
      console.error(`${row.name}: ${error.stack}\nits files: ${path.join(room, `${number}`)}`)
    }
  }
}
await Promise.all(Array.from({ length: atOnce }, next))
if (failed) process.exit(1)
fs.rmSync(room, { recursive: true })
