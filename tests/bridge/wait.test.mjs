// What bridge wait does while the server is away.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { canMakeHosts, Network, until } from './hosts.mjs'
import { NATS_SERVER, POLYPROC } from './pipeline.mjs'

const STREAM = 'nats://127.0.0.1/JOBS'
const skip = !canMakeHosts() && 'needs root, for networks of its own'

test('bridge wait failed when the server was away for a moment', { skip }, async () => {
  const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-wait-'))
  const network = await Network.create(room)
  try {
    const host = await network.host('h')
    // It writes each request into its log.
    const start = () => host.start([NATS_SERVER, '-V', '-js', '-sd', `${room}/nats`, '-l', `${room}/nats.log`])
    const server = start()
    await until('a stream', async () => (await host.start([POLYPROC, 'bridge', 'setup', STREAM]).ended) === 0)
    await host.run('sh', '-c', `seq 3 | ${POLYPROC} put jobs --lines --create`)
    await host.run(POLYPROC, 'shutdown', 'jobs')
    await host.run(POLYPROC, 'bridge', 'out', 'jobs', STREAM)
    const looks = () => fs.readFileSync(`${room}/nats.log`, 'utf8').split('STREAM.INFO.JOBS_DEAD').length
    const before = looks()
    const waiting = host.start([POLYPROC, 'bridge', 'wait', STREAM])
    await until('a look', () => looks() > before)
    server.signal('SIGKILL')
    await server.ended
    await until('a failed look', () => /^polyproc: JOBS: .*trying again$/m.test(fs.readFileSync(`${room}/log`, 'utf8')))
    start()
    host.start([POLYPROC, 'bridge', 'in', STREAM, 'work', '--create'])
    await until('a queue', async () => (await host.start([POLYPROC, 'stat', 'work']).ended) === 0)
    await host.run(POLYPROC, 'get', 'work', '-n', '3', '--timeout', '60')
    await waiting.ok()
  } finally {
    await network.end()
    fs.rmSync(room, { recursive: true })
  }
})
