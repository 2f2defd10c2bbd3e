// What bridge out does about messages that the server does not answer for.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { canMakeHosts, Network, until } from './hosts.mjs'
import { NATS_SERVER, POLYPROC } from './pipeline.mjs'

const LOSSY = fileURLToPath(new URL('lossy.mjs', import.meta.url))
const skip = !canMakeHosts() && 'needs root, for networks of its own'

// After the leader of three servers was killed, the bridge waited 5 s for each of the messages that it
// had published to nobody: for minutes.
test('unanswered messages were given up one after the other', { skip }, async () => {
  const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-out-'))
  const network = await Network.create(room)
  try {
    const host = await network.host('h')
    host.start([NATS_SERVER, '-js', '-sd', `${room}/nats`, '-l', `${room}/nats.log`])
    const stream = 'nats://127.0.0.1/JOBS'
    await until('a stream', async () => (await host.start([POLYPROC, 'bridge', 'setup', stream]).ended) === 0)
    await host.run('sh', '-c', `seq 300 | ${POLYPROC} put jobs --lines --create`)
    await host.run(POLYPROC, 'shutdown', 'jobs')
    const lossy = host.start([process.execPath, LOSSY, '4223', '4222', '100'])
    await until('a lossy server', () => lossy.output)
    const out = host.start([POLYPROC, 'bridge', 'out', 'jobs', 'nats://127.0.0.1:4223/JOBS'])
    // One after the other it would be 500 s.
    await until('the end of the bridge', () => out.child.exitCode !== null)
    await out.ok()
    const { messages } = JSON.parse(await host.run(POLYPROC, 'bridge', 'status', stream, '--json'))
    assert.equal(messages, 300)
    // Whether the bridge or its client notices it first.
    assert.match(fs.readFileSync(`${room}/log`, 'utf8'), /^polyproc: JOBS: .*; trying again$/m)
  } finally {
    await network.end()
    fs.rmSync(room, { recursive: true })
  }
})
