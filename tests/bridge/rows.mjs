// What happens to a pipeline, one row of the table each. A row begins when everything runs.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './hosts.mjs'
import { ACK_WAIT_MS, MAX_ITEMS, POLYPROC } from './pipeline.mjs'

/** Kills one of the bridges again and again as long as messages are put: at a random time after the
 * last kill and after a message was done since then. On a busy machine none would be otherwise. */
async function killAtRandom(pipeline, bridges) {
  do {
    const before = pipeline.written()
    await until('progress', () => pipeline.isProduced || pipeline.written() > before)
    await sleep(Math.random() * 700)
    const bridge = any(bridges)
    const { times } = bridge
    bridge.current.signal('SIGKILL')
    await until('the next bridge', () => bridge.times > times)
  } while (!pipeline.isProduced)
}

/** Stops a bridge for longer than the ack-wait. */
async function stopForLong(pipeline, bridge) {
  await pipeline.part(0.2)
  const { current } = bridge
  current.signal('SIGSTOP')
  await until('a stopped bridge', () => current.state() === 'T')
  await sleep(2.5 * ACK_WAIT_MS)
  current.signal('SIGCONT')
}

/** An ack-wait that no busy machine makes a bridge miss: then nothing may be done twice. */
const PATIENT_MS = 3_600_000

/** So many messages fit into a stream that is to be full. */
const FULL = 150

const any = (list) => list[Math.floor(Math.random() * list.length)]

export const ROWS = [
  { name: 'nothing happens', options: { ackWaitMs: PATIENT_MS }, async happen() {}, isUnharmed: true },
  {
    name: 'bridge out killed at random',
    happen: (pipeline) => killAtRandom(pipeline, [pipeline.out]),
  },
  {
    name: 'bridge in killed at random',
    happen: (pipeline) => killAtRandom(pipeline, Object.values(pipeline.in)),
  },
  {
    name: 'bridge out stopped for 2.5 ack-waits',
    happen: (pipeline) => stopForLong(pipeline, pipeline.out),
  },
  {
    name: 'bridge in stopped for 2.5 ack-waits',
    happen: (pipeline) => stopForLong(pipeline, pipeline.in.b),
  },
  {
    name: 'network of b cut for 2 ack-waits',
    async happen(pipeline) {
      await pipeline.part(0.2)
      pipeline.network.cut(pipeline.b)
      await sleep(2 * ACK_WAIT_MS)
      pipeline.network.mend(pipeline.b)
    },
  },
  {
    name: 'server killed and started again',
    async happen(pipeline) {
      const [host] = pipeline.servers.hosts
      await pipeline.part(0.2)
      await pipeline.servers.killOne(host)
      await sleep(500)
      pipeline.servers.startOne(host)
      const isThere = async () => (await pipeline.a.start([POLYPROC, 'bridge', 'status', pipeline.stream]).ended) === 0
      await until('the server again', isThere)
    },
  },
  {
    name: 'leader of three servers killed',
    options: { servers: 3 },
    async happen(pipeline) {
      await pipeline.part(0.2)
      const { leader } = await pipeline.status()
      await pipeline.servers.hosts.find((host) => host.name === leader).kill()
    },
  },
  {
    name: 'host b killed, with its workers',
    async happen(pipeline) {
      await pipeline.part(0.2)
      await pipeline.b.kill()
    },
  },
  {
    name: 'bridge in, --ack on-arrival, killed at random',
    ack: 'on-arrival',
    happen: (pipeline) => killAtRandom(pipeline, Object.values(pipeline.in)),
  },
  {
    name: 'network of b cut, --ack on-arrival',
    ack: 'on-arrival',
    async happen(pipeline) {
      await pipeline.part(0.2)
      pipeline.network.cut(pipeline.b)
      await sleep(2 * ACK_WAIT_MS)
      pipeline.network.mend(pipeline.b)
    },
  },
  {
    name: 'host b killed, --ack on-arrival',
    ack: 'on-arrival',
    async happen(pipeline) {
      await pipeline.part(0.2)
      await pipeline.b.kill()
    },
    // What had arrived there is lost with the host: a full queue, and the message that its worker had.
    mayLose: MAX_ITEMS + 1,
  },
  {
    name: 'stream full, workers start late',
    options: { setup: ['--max-messages', `${FULL}`] },
    isLate: true,
    // So few that the bridge and the queue on a cannot have the rest of the messages.
    window: 64,
    async happen(pipeline) {
      const isFull = async () => (await pipeline.status()).messages === FULL && (await pipeline.putWaits())
      await until('a put that waits for the stream', isFull)
      pipeline.work()
    },
  },
  {
    name: 'poison, every 50th message',
    options: { ackWaitMs: PATIENT_MS },
    poison: 50,
    async happen() {},
    check(pipeline, row) {
      assert.equal(row.dead.length, Math.floor(pipeline.count / 50))
      for (const letter of row.dead) assert.match(letter.reason, /^not done after 3 deliveries by the queue jobs$/)
    },
    isUnharmed: true,
  },
]
