// Each example in the help of `polyproc bridge` and of its commands runs, with a server.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { canMakeHosts, Network, until } from './hosts.mjs'
import { NATS_SERVER, POLYPROC, Servers } from './pipeline.mjs'

const skip = !canMakeHosts() && 'needs root, for networks of its own'
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-examples-'))
after(() => fs.rmSync(room, { recursive: true }))
const env = { PATH: `${path.dirname(POLYPROC)}:${process.env.PATH}` }
const STREAM = 'nats://127.0.0.1/JOBS'

const helpOf = (...command) => execFileSync(POLYPROC, ['bridge', ...command, '--help'], { encoding: 'utf8' })
/** The indented lines below a heading of a help. */
const below = (heading, help) => help.match(new RegExp(`^${heading}:\n((?: {2}.*\n?)+)`, 'm'))?.[1].trim().split(/\n */) ?? []
const commands = below('Commands', helpOf()).map((row) => row.split(' ')[0]).filter((name) => name !== 'help')
const examplesOf = (help) => below('Examples?', help)
const examples = [helpOf(), ...commands.map((name) => helpOf(name))].map(examplesOf)

const type = (host, line) => host.start(['sh', '-c', `exec ${line}`], env)
const status = async (host) => JSON.parse(await host.run(POLYPROC, 'bridge', 'status', STREAM, '--json'))
const put = (host, ...options) => host.run('sh', '-c', `seq 3 | ${POLYPROC} put ${options.join(' ')} --lines --create`)

/** Publishes three messages. */
async function publish(host) {
  await put(host, 'source')
  await host.run(POLYPROC, 'shutdown', 'source')
  await host.run(POLYPROC, 'bridge', 'out', 'source', STREAM)
}

/** What an example of each command finds, and what it has done. */
const STORIES = {
  async setup(host, line) {
    assert.match(await type(host, line).ok(), /^JOBS: made$/m)
  },

  async out(host, line) {
    await put(host, 'jobs')
    await host.run(POLYPROC, 'shutdown', 'jobs')
    await type(host, line).ok()
    assert.equal((await status(host)).messages, 3)
  },

  async in(host, line) {
    await publish(host)
    await host.run('sh', '-c', `${POLYPROC} put jobs --lines --create < /dev/null`)
    const bridge = type(host, line)
    assert.equal(await host.run(POLYPROC, 'get', 'jobs', '-n', '3', '--timeout', '60'), '1\n2\n3\n')
    await host.run(POLYPROC, 'bridge', 'wait', STREAM, '--timeout', '60')
    bridge.signal('SIGTERM')
    await bridge.ok()
  },

  async status(host, line) {
    await publish(host)
    host.start([POLYPROC, 'bridge', 'in', STREAM, 'work', '--create', '--max-deliveries', '1'])
    await until('a queue', async () => (await host.start([POLYPROC, 'stat', 'work']).ended) === 0)
    host.start([POLYPROC, 'take', 'work', '--follow', '--', 'false'])
    await host.run(POLYPROC, 'bridge', 'wait', STREAM, '--timeout', '60')
    assert.match(await type(host, line).ok(), line.includes('--dead') ? /(.*not done after 1 deliveries.*\n.*\n){3}/ : /dead letters +3/)
  },

  async wait(host, line) {
    await put(host, 'jobs')
    const waiting = type(host, line)
    const out = host.start([POLYPROC, 'bridge', 'out', 'jobs', STREAM])
    await until('a stream of three messages', async () => (await status(host)).messages === 3)
    assert.equal(waiting.child.exitCode, null)
    const into = host.start([POLYPROC, 'bridge', 'in', STREAM, 'work', '--create'])
    await until('a queue', async () => (await host.start([POLYPROC, 'stat', 'work']).ended) === 0)
    await host.run(POLYPROC, 'get', 'work', '-n', '3', '--timeout', '60')
    await waiting.ok()
    for (const bridge of [out, into]) bridge.signal('SIGTERM')
  },
}

/** Runs an example on a host that has a server, and nothing else. */
async function alone(line, number) {
  const network = await Network.create(room)
  try {
    const host = await network.host('h')
    host.start([NATS_SERVER, '-js', '-sd', path.join(room, `nats-${number}`), '-l', path.join(room, 'nats.log')])
    const command = line.split(' ')[2]
    await until('a server', async () => (await host.start([POLYPROC, 'bridge', 'setup', 'nats://127.0.0.1/READY']).ended) === 0)
    if (command !== 'setup') await host.run(POLYPROC, 'bridge', 'setup', STREAM)
    await STORIES[command](host, line)
  } finally {
    await network.end()
  }
}

/** Runs an example on one of three hosts that the example calls a, b and c. */
async function amongThree(line) {
  const network = await Network.create(room)
  try {
    const servers = new Servers(network, room)
    await servers.start(3)
    const [host] = servers.hosts
    const names = servers.hosts.map(({ address }, at) => `${address} ${'abc'[at]}\n`)
    fs.writeFileSync(path.join(room, 'hosts'), names.join(''))
    await host.run('mount', '--bind', path.join(room, 'hosts'), '/etc/hosts')
    // The servers may still be choosing a leader.
    await until('a stream', async () => (await type(host, line).ended) === 0)
    const { replicas } = JSON.parse(await host.run(POLYPROC, 'bridge', 'status', servers.stream, '--json'))
    assert.equal(replicas, 3)
  } finally {
    await network.end()
  }
}

test('each example of each help runs', { skip }, async (t) => {
  assert.deepEqual(commands.toSorted(), Object.keys(STORIES).toSorted())
  for (const list of examples) assert.notEqual(list.length, 0)
  for (const [number, line] of [...new Set(examples.flat())].entries()) {
    await t.test(line, () => (line.includes('nats://a,b,c/') ? amongThree(line) : alone(line, number)))
  }
})
