// Messages that are too large for the server, alone or with the headers of the bridges.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { canMakeHosts, Network, until } from './hosts.mjs'
import { POLYPROC } from './pipeline.mjs'

const LIMIT = 1024
// The id and the reason of a message are in headers, which count too.
const SIZES = [1, 500, 800, 900, 930, 945, 960, 980, 1000, LIMIT, LIMIT + 1, 4000]
const skip = !canMakeHosts() && 'needs root, for networks of its own'
const sorted = (sizes) => sizes.sort((one, other) => one - other)

test('what is too large for the server is a dead letter, and nothing is lost', { skip }, async () => {
  const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-large-'))
  const network = await Network.create(room)
  const said = () => fs.readFileSync(`${room}/log`, 'utf8')
  try {
    const [server, a, b] = [await network.host('s'), await network.host('a'), await network.host('b')]
    const conf = [`listen: "${server.address}:4222"`, `jetstream { store_dir: "${room}/nats" }`, `max_payload: ${LIMIT}`]
    fs.writeFileSync(`${room}/server.conf`, conf.join('\n'))
    server.start([path.resolve(process.env.NATS_SERVER), '-c', `${room}/server.conf`, '-l', `${room}/nats.log`])
    const stream = `nats://${server.address}/JOBS`
    await until('a stream', async () => (await a.start([POLYPROC, 'bridge', 'setup', stream]).ended) === 0)

    // Out: given back to the queue, until its limit of deliveries.
    fs.writeFileSync(`${room}/lines`, SIZES.map((size) => `${'x'.repeat(size)}\n`).join(''))
    await a.run(POLYPROC, 'put', 'jobs', '--lines', '--file', `${room}/lines`, '--create', '--max-deliveries', '2')
    await a.run(POLYPROC, 'shutdown', 'jobs')
    await a.run(POLYPROC, 'bridge', 'out', 'jobs', stream)
    const { messages } = JSON.parse(await a.run(POLYPROC, 'bridge', 'status', stream, '--json'))
    const dead = (await a.run(POLYPROC, 'dead', 'jobs', 'list', '--json')).split('\n').filter(Boolean)
    assert.equal(messages + dead.length, SIZES.length)
    assert.ok(messages >= 4 && dead.length >= 3, `${messages} in the stream, ${dead.length} dead letters`)
    for (const size of [LIMIT, LIMIT + 1, 4000]) {
      assert.match(said(), new RegExp(`message \\d+ of ${size} bytes goes back to its queue: .*limit of ${LIMIT}`))
    }

    // In: dead letters, of which some have no room for the reason.
    b.start([POLYPROC, 'bridge', 'in', stream, 'work', '--create', '--max-deliveries', '1'])
    await until('a queue', async () => (await b.start([POLYPROC, 'stat', 'work']).ended) === 0)
    b.start([POLYPROC, 'take', 'work', '-P', '8', '--follow', '--', 'false'])
    await b.run(POLYPROC, 'bridge', 'wait', stream, '--timeout', '2m')
    const lines = (await b.run(POLYPROC, 'bridge', 'status', stream, '--dead', '100', '--json')).split('\n').filter(Boolean)
    const letters = lines.map((line) => JSON.parse(line))
    assert.deepEqual(sorted(letters.map(({ length }) => length)), SIZES.slice(0, messages))
    const [with_, without] = [letters.filter(({ reason }) => reason), letters.filter(({ reason }) => !reason)]
    for (const { reason } of with_) assert.match(reason, /^not done after 1 deliveries by the queue work$/)
    assert.ok(with_.some(({ length }) => length === 1) && without.length > 0, lines.join('\n'))
    for (const { id } of without) assert.match(said(), new RegExp(`JOBS_DEAD: ${id} is stored without its reason: not done`))
  } finally {
    await network.end()
    fs.rmSync(room, { recursive: true })
  }
})
