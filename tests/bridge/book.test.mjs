// The commands of docs/book/beyond.md, on three hosts.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { canMakeHosts, Network, until } from './hosts.mjs'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const ROOT = path.resolve(HERE, '../..')
const PATH = `${path.join(ROOT, 'build/bridge')}:${process.env.PATH}`
const skip = !canMakeHosts() && 'needs root, for networks of its own'

test('what the book types reaches the other machine', { skip }, async () => {
  const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-book-'))
  const network = await Network.create(room)
  try {
    const [server, a, b] = [await network.host('s'), await network.host('a'), await network.host('b')]
    const conf = fs.readFileSync(path.join(HERE, 'book/server.conf'), 'utf8').replace('/var/lib/nats', `${room}/nats`)
    fs.writeFileSync(`${room}/server.conf`, conf)
    server.start([path.resolve(ROOT, process.env.NATS_SERVER), '-c', `${room}/server.conf`, '-a', server.address])
    const env = { PATH, STREAM: `nats://${server.address}/JOBS` }
    const type = (host, file) => host.start(['sh', '-e', path.join(HERE, 'book', file)], env)
    await until('a stream', async () => (await type(a, 'setup.sh').ended) === 0)
    const work = b.start(['polyproc', 'run', path.join(HERE, 'book/machine-b.toml')], env)
    assert.equal(await type(a, 'machine-a.sh').exited, 0)
    work.signal('SIGTERM')
    assert.equal(await work.ended, 143)
    const lines = work.output.split('\n').filter(Boolean).sort()
    assert.deepEqual(lines, Array.from({ length: 100 }, (_, at) => `done: ${at + 1}`).sort())
  } finally {
    await network.end()
    fs.rmSync(room, { recursive: true })
  }
})
