// What `polyproc bridge setup` refuses, and that it changes nothing then.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { bridge, withServer } from './server.mjs'

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-setup-'))
after(() => fs.rmSync(room, { recursive: true }))
const NO_SUCH_STREAM = 4

test('a window below 2 minutes and another number of replicas than 1 and 3 are refused', () =>
  withServer(room, [], (port) => {
    const stream = `nats://127.0.0.1:${port}/REFUSED`
    const refused = [
      [['--duplicate-window', '119s'], 2, /'119s' for '--duplicate-window <TIME>': it is at least 2m/],
      [['--duplicate-window', '0'], 2, /it is at least 2m/],
      ...['0', '2', '4', '5'].map((number) => [['--replicas', number], 2, /--replicas <N>'\s+\[possible values: 1, 3\]/]),
      // One server has no two others.
      [['--replicas', '3'], 1, /REFUSED: .*replicas > 1 not supported/],
    ]
    for (const [options, expected, complaint] of refused) {
      const [code, said] = bridge(['setup', stream, ...options])
      assert.equal(code, expected, said)
      assert.match(said, complaint)
      assert.equal(bridge(['status', stream])[0], NO_SUCH_STREAM, `made in spite of ${options.join(' ')}`)
    }
  }))

test('a stream that differs stays as it is', () =>
  withServer(room, [], (port) => {
    const setup = (...options) => bridge(['setup', `nats://127.0.0.1:${port}/DIFFERENT`, ...options])
    assert.deepEqual(setup('--duplicate-window', '2m'), [0, '', 'DIFFERENT: made\nDIFFERENT_DEAD: made\nDIFFERENT: consumer polyproc: made\n'])
    const [code, , said] = setup('--duplicate-window', '5m')
    assert.equal(code, 1)
    assert.match(said, /^DIFFERENT: duplicate-window is 2m, asked for as 5m$/m)
    assert.deepEqual(setup(), [0, '', 'DIFFERENT: there\nDIFFERENT_DEAD: there\nDIFFERENT: consumer polyproc: there\n'])
  }))
