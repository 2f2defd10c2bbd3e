// examples/meeting: a Go service and a Node script that meet on a name, in either starting order.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LANGUAGES, run } from './run.mjs'

const guest = fileURLToPath(import.meta.resolve('../meeting/guest.js'))
LANGUAGES.guest = { command: () => [process.execPath, guest] }

const programs = {
  kitchen: {
    language: 'go',
    path: 'meeting/kitchen',
    lines: ['kitchen is open', 'kitchen cooks 3 buns with pork', 'kitchen cooks 2 buns with leek', 'kitchen closes'],
  },
  guest: {
    language: 'guest',
    path: 'guest',
    lines: ['guest comes in', 'guest orders 3 with pork', 'guest orders 2 with leek', 'guest gets 3 包子 with pork',
      'guest gets 2 包子 with leek', 'guest leaves'],
  },
}

for (const [first, second] of [['kitchen', 'guest'], ['guest', 'kitchen']]) {
  test(`the ${first} is there before the ${second}`, async () => {
    const name = `meeting.${randomUUID()}`
    const start = (program, onLine) => run(programs[program].language, programs[program].path, 1000, [name], onLine)
    let come
    const isThere = new Promise((resolve) => (come = resolve))
    const outputs = [start(first, come)]
    await isThere
    outputs.push(start(second))
    const [one, other] = await Promise.all(outputs)
    assert.deepEqual(one.lines, programs[first].lines)
    assert.deepEqual(other.lines, programs[second].lines)
  })
}
