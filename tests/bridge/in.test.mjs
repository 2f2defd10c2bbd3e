// When messages arrive that a bridge has asked for, and in which order.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { canMakeHosts, Network, until } from './hosts.mjs'
import { NATS_SERVER, POLYPROC } from './pipeline.mjs'

const STREAM = 'nats://127.0.0.1/JOBS'
const LOSSY = fileURLToPath(new URL('lossy.mjs', import.meta.url))
const skip = !canMakeHosts() && 'needs root, for networks of its own'

/** A host with a server, a stream, and an empty queue `work`; `use` gets it, and a way to read its log. */
async function withHost(ackWait, use) {
  const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-in-'))
  const network = await Network.create(room)
  try {
    const host = await network.host('h')
    host.start([NATS_SERVER, '-js', '-sd', `${room}/nats`, '-l', `${room}/nats.log`])
    const setup = [POLYPROC, 'bridge', 'setup', STREAM, '--ack-wait', ackWait]
    await until('a stream', async () => (await host.start(setup).ended) === 0)
    await host.run('sh', '-c', `${POLYPROC} put work --lines --create < /dev/null`)
    await use(host, () => fs.readFileSync(`${room}/log`, 'utf8'))
    assert.equal(JSON.parse(await host.run(POLYPROC, 'bridge', 'status', STREAM, '--json')).messages, 0)
  } finally {
    await network.end()
    fs.rmSync(room, { recursive: true })
  }
}

/** Publishes the numbers up to `count`, then starts a bridge, gets them and waits for the end. */
async function throughStream(host, source, count, stream = STREAM) {
  await host.run('sh', '-c', `seq ${count} | ${POLYPROC} put ${source} --lines --create`)
  await host.run(POLYPROC, 'shutdown', source)
  await host.run(POLYPROC, 'bridge', 'out', source, STREAM)
  const bridge = host.start([POLYPROC, 'bridge', 'in', stream, 'work'])
  const got = await host.run(POLYPROC, 'get', 'work', '-n', `${count}`, '--timeout', '120')
  bridge.signal('SIGTERM')
  await bridge.ok()
  assert.deepEqual(got.trim().split('\n').map(Number), Array.from({ length: count }, (_, at) => at + 1))
}

// The bridge took its first connection for a new one, and forgot what it had asked for on it: not at
// every start.
test('the first messages waited for the ack-wait', { skip }, () =>
  withHost('1h', async (host) => {
    for (let start = 1; start <= 6; start++) await throughStream(host, `source-${start}`, 5)
  }))

// Each request for messages had an inbox of its own, and the bridge read them in turn.
test('one bridge put messages in another order than the stream has them', { skip }, () =>
  withHost('1h', (host) => throughStream(host, 'source', 5000)))

// The stream keeps a message until then: its ack-wait is an hour.
test('an acknowledgement that the server has not confirmed is sent again', { skip }, () =>
  withHost('1h', async (host, log) => {
    const lossy = host.start([process.execPath, LOSSY, '4223', '4222', '100', 'PUB $JS.ACK.JOBS.'])
    await until('a lossy server', () => lossy.output)
    await throughStream(host, 'source', 300, 'nats://127.0.0.1:4223/JOBS')
    assert.match(log(), /^polyproc: JOBS: no answer from the server; trying again$/m)
  }))
