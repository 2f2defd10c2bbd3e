// A producer in C on host a, workers in Go and Node on hosts b and c, servers on hosts of their own,
// and bridges between them: what is done to them is a row of the table.
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Network, until } from './hosts.mjs'

const ROOT = path.resolve(fileURLToPath(import.meta.url), '../../..')
const BUILD = path.join(ROOT, 'build/bridge')
export const POLYPROC = path.join(BUILD, 'polyproc')
export const NATS_SERVER = path.resolve(ROOT, process.env.NATS_SERVER)
/** Short, so that a lost bridge is noticed soon. */
export const ACK_WAIT_MS = 2000
/** How many messages may wait on each host with workers. */
export const MAX_ITEMS = 100
const DEADLINE_MS = 180_000

/** The servers of a pipeline, one or three that replicate. */
export class Servers {
  constructor(network, folder) {
    Object.assign(this, { network, folder, hosts: [], running: new Map() })
  }

  async start(count) {
    for (let number = 1; number <= count; number++) this.hosts.push(await this.network.host(`s${number}`))
    const routes = this.hosts.map((host) => `"nats-route://${host.address}:6222"`).join(', ')
    for (const host of this.hosts) {
      const lines = [
        `server_name: ${host.name}`, `listen: "${host.address}:4222"`, `jetstream { store_dir: "${this.folder}/${host.name}" }`,
      ]
      if (count > 1) lines.push(`cluster { name: test, listen: "${host.address}:6222", routes: [${routes}] }`)
      fs.writeFileSync(`${this.folder}/${host.name}.conf`, lines.join('\n'))
      this.startOne(host)
    }
    this.stream = `nats://${this.hosts.map((host) => host.address).join(',')}/JOBS`
  }

  startOne(host) {
    this.running.set(host, host.start([NATS_SERVER, '-c', `${this.folder}/${host.name}.conf`, '-l', `${this.folder}/${host.name}.log`]))
  }

  /** Kills a server, and waits until it is gone. */
  async killOne(host) {
    this.running.get(host).signal('SIGKILL')
    await this.running.get(host).ended
  }
}

export class Pipeline {
  static async create(folder, { servers = 1, ackWaitMs = ACK_WAIT_MS, setup = [] } = {}) {
    fs.mkdirSync(folder, { recursive: true })
    const pipeline = new Pipeline()
    const network = await Network.create(folder)
    Object.assign(pipeline, { folder, network, servers: new Servers(network, folder) })
    await pipeline.servers.start(servers)
    for (const name of ['a', 'b', 'c']) pipeline[name] = await network.host(name)
    pipeline.stream = pipeline.servers.stream
    // The servers may still be starting, or choosing a leader.
    const arguments_ = ['bridge', 'setup', pipeline.stream, '--ack-wait', `${ackWaitMs}ms`, '--replicas', `${servers}`, ...setup]
    await until('a stream', async () => (await pipeline.a.start([POLYPROC, ...arguments_]).ended) === 0)
    return pipeline
  }

  /** Starts everything: `count` messages, so many a second, every `poison`-th of them poison. `ack`: when
   * the stream forgets a message. `window`: how many messages the bridge out has. */
  start({ count, perSecond, poison = 0, isLate = false, ack = 'done', window = 512 }) {
    const { a, b, c, stream } = this
    this.count = count
    this.poison = poison
    this.ack = ack
    this.out = a.keep([POLYPROC, 'bridge', 'out', 'jobs', stream, '--window', `${window}`,
      '--create', '--joinable', '--max-items', '200'])
    this.in = {}
    for (const host of [b, c]) {
      this.in[host.name] = host.keep([POLYPROC, 'bridge', 'in', stream, 'jobs', '--window', '64', '--ack', ack,
        '--create', '--joinable', '--max-items', `${MAX_ITEMS}`, '--max-deliveries', '3'])
    }
    this.producing = this.#produce(count, perSecond, poison)
    if (!isLate) this.work()
  }

  async #produce(count, perSecond, poison) {
    await until('a queue on a', () => this.#hasQueue(this.a))
    await this.a.run(path.join(BUILD, 'producer'), 'jobs', `${count}`, `${perSecond}`, `${poison}`)
    this.isProduced = true
  }

  async #hasQueue(host) {
    return (await host.start([POLYPROC, 'stat', 'jobs']).ended) === 0
  }

  /** Whether a put on host a waits for room. */
  async putWaits() {
    const stat = this.a.start([POLYPROC, 'stat', 'jobs', '--json'])
    if ((await stat.ended) !== 0) return false
    return JSON.parse(stat.output).participants.some((one) => one.asleep && one.waits_for.includes('room'))
  }

  /** Starts the workers. */
  work() {
    const log = (name) => `${this.folder}/${name}.done`
    this.workers = [
      this.b.keep([path.join(BUILD, 'worker'), log('go')]),
      this.c.keep([process.execPath, path.join(ROOT, 'tests/bridge/worker.mjs'), log('node')]),
    ]
  }

  /** The lines that the workers have written: [number, time]. */
  done() {
    const lines = []
    for (const name of ['go', 'node']) {
      const file = `${this.folder}/${name}.done`
      if (!fs.existsSync(file)) continue
      for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
        const [, number, time] = line.split(' ')
        lines.push([Number(number), Number(time)])
      }
    }
    return lines
  }

  /** How much the workers have written. */
  written() {
    const size = (name) => fs.statSync(`${this.folder}/${name}.done`, { throwIfNoEntry: false })?.size ?? 0
    return size('go') + size('node')
  }

  /** Waits until a share of the messages is done. */
  part(share) {
    return until(`${share} of all`, () => this.done().length >= this.count * share, DEADLINE_MS)
  }

  async status(host = this.a) {
    return JSON.parse(await host.run(POLYPROC, 'bridge', 'status', this.stream, '--json'))
  }

  /** Waits until nothing is left, and returns the row of the table. */
  async finish() {
    await Promise.race([this.producing, sleep(DEADLINE_MS, undefined, { ref: false })])
    await this.a.run(POLYPROC, 'bridge', 'wait', this.stream, 'jobs', '--timeout', `${DEADLINE_MS / 1000}`)
    // Acknowledged messages are in the queues still.
    if (this.ack === 'on-arrival') for (const host of [this.b, this.c]) if (!host.isDead) await host.run(POLYPROC, 'join', 'jobs', '--timeout', `${DEADLINE_MS / 1000}s`)
    const letters = await this.a.run(POLYPROC, 'bridge', 'status', this.stream, '--dead', '1000000', '--json')
    const dead = letters.split('\n').filter(Boolean).map((line) => JSON.parse(line))
    const lines = this.done()
    const times = lines.map(([, time]) => time).sort((one, other) => one - other)
    const pauses = times.slice(1).map((time, at) => time - times[at])
    const over = new Set(lines.map(([number]) => number))
    for (const { text } of dead) over.add(Number(text.split(' ')[1]))
    let lost = 0
    for (let number = 1; number <= this.count; number++) lost += over.has(number) ? 0 : 1
    return {
      put: this.isProduced ? this.count : NaN,
      done: new Set(lines.map(([number]) => number)).size,
      lost,
      twice: lines.length - new Set(lines.map(([number]) => number)).size,
      dead,
      pause: pauses.reduce((longest, pause) => Math.max(longest, pause), 0),
    }
  }

  async end() {
    await this.network.end()
  }
}
