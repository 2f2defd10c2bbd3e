// What happens to a pipeline, one row of the table each. A row begins when everything runs.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './hosts.mjs'
import { ACK_WAIT_MS, MAX_ITEMS } from './pipeline.mjs'

/** Kills one of the bridges again and again as long as messages are put: at a random time after the
 * last kill and after a message was done since then. On a busy machine none would be otherwise. */
async function killAtRandom(pipeline, bridges) {
  while (!pipeline.isProduced) {
    const before = pipeline.written()
    await until('progress', () => pipeline.isProduced || pipeline.written() > before)
    await sleep(Math.random() * 700)
    any(bridges).current.signal('SIGKILL')
  }
}

const any = (list) => list[Math.floor(Math.random() * list.length)]

export const ROWS = [
  { name: 'nothing happens', async happen() {}, isUnharmed: true },
  {
    name: 'bridge out killed at random',
    happen: (pipeline) => killAtRandom(pipeline, [pipeline.out]),
    atLeast: { killed: (pipeline) => pipeline.out.times > 1 },
  },
  {
    name: 'bridge in killed at random',
    isShort: true,
    happen: (pipeline) => killAtRandom(pipeline, Object.values(pipeline.in)),
    atLeast: { killed: (pipeline) => Object.values(pipeline.in).some((bridge) => bridge.times > 1) },
  },
  {
    name: 'bridge in stopped for 2.5 ack-waits',
    async happen(pipeline) {
      await pipeline.part(0.2)
      pipeline.in.b.current.signal('SIGSTOP')
      await sleep(2.5 * ACK_WAIT_MS)
      pipeline.in.b.current.signal('SIGCONT')
    },
  },
  {
    name: 'network of b cut for 2 ack-waits',
    isShort: true,
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
    atLeast: { killed: (pipeline) => Object.values(pipeline.in).some((bridge) => bridge.times > 1) },
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
    options: { setup: ['--max-messages', '150'] },
    late: true,
    async happen(pipeline) {
      await sleep(2500)
      pipeline.work()
    },
    // The stream was full, so the puts on host a had to wait.
    atLeast: { waited: (pipeline, row) => row.longestPut >= 500 },
  },
  {
    name: 'poison, every 50th message',
    isShort: true,
    poison: 50,
    async happen() {},
    check(pipeline, row) {
      assert.equal(row.dead.length, Math.floor(pipeline.count / 50))
      for (const letter of row.dead) assert.match(letter.reason, /^not done after 3 deliveries by the queue jobs$/)
    },
    isUnharmed: true,
  },
]
