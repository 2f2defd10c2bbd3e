// The demo over three hosts made of namespaces: host a walks and reports, hosts b and c work, and c
// is killed in the middle. Then everything is counted again. INPUT is the directory.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { canMakeHosts, Network, until } from '../../../tests/bridge/hosts.mjs'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const ROOT = path.resolve(HERE, '../../..')
const POLYPROC = path.join(ROOT, 'build/bridge/polyproc')
const input = process.env.INPUT || '/usr/include'

if (!canMakeHosts()) {
  console.log('skipped: needs root, for networks of its own')
  process.exit(0)
}
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-cluster-'))
const network = await Network.create(room)
let isEqual = false
try {
  const [server, a, b, c] = [await network.host('s'), await network.host('a'), await network.host('b'), await network.host('c')]
  const address = `nats://${server.address}`
  server.start([path.resolve(ROOT, process.env.NATS_SERVER), '-a', server.address, '-js', '-sd', `${room}/nats`, '-l', `${room}/nats.log`])
  for (const stream of ['FILES', 'RESULTS']) {
    const setup = [POLYPROC, 'bridge', 'setup', `${address}/${stream}`, '--ack-wait', '2s']
    await until('a stream', async () => (await a.start(setup).ended) === 0)
  }
  const env = { SERVER: address, INPUT: input, PATH: `${path.dirname(POLYPROC)}:${process.env.PATH}` }
  const work = [b, c].map((host) => host.start([POLYPROC, 'run', path.join(HERE, 'workers.toml')], env))
  const report = a.start([POLYPROC, 'run', path.join(HERE, 'machine-a.toml')], env)

  const status = async (stream) => JSON.parse(await a.run(POLYPROC, 'bridge', 'status', `${address}/${stream}`, '--json'))
  // In the middle: c has files, and some results are there.
  await until('work under way', async () => (await status('FILES')).in_flight > 64, 60_000)
  await c.kill()
  console.log('host c is killed, with two workers, their bridges and their queues\n')

  await report.ok()
  process.stdout.write(report.output)
  work[0].signal('SIGTERM')
  await work[0].ended
  console.log(execFileSync(process.execPath, [path.join(HERE, '../recount.mjs'), input, path.join(ROOT, 'build/headers/cluster.json')], { encoding: 'utf8' }).trim())
  isEqual = true
} finally {
  await network.end()
  if (isEqual) fs.rmSync(room, { recursive: true })
  else console.error(`its files: ${room}`)
}
