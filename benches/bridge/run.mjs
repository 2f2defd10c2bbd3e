// The bridges beside a program that only publishes, or only pulls and acknowledges, over one server
// on this machine: node run.mjs
//
// The streams and consumers of both are made by `bridge setup`, and both promise the same. Each
// message has an id of the same length, and is published when the server has confirmed it. Each
// message that arrives is acknowledged until the server has confirmed that too: the bridge does it
// when a consumer of the queue has got the message, the plain program at once. At most 512
// publications wait for their answers. Of the messages that arrive, the bridge has at most 512 in
// the queue; the plain program has at most 512 unconfirmed acknowledgements, and its client keeps up
// to 512 more at hand.
//
// COUNT messages of each size, ROUNDS times. The two take turns in being first, and the ratio is the
// median of those of the rounds. It exits with 1 if a bridge has less than 0.9 of the other's
// throughput.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const { POLYPROC, PLAIN, NATS_SERVER } = process.env
const count = Number(process.env.COUNT || 100_000)
const rounds = Number(process.env.ROUNDS || 9)
const SIZES = [64, 1024]
const PORT = 4299
const LEAST = 0.9
const server = `nats://127.0.0.1:${PORT}`
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-bench-bridge-'))

function start(...argv) {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
  child.ended = new Promise((resolve, reject) => child.on('error', reject).on('close', (code, signal) => resolve(code ?? signal)))
  return child
}

async function run(...argv) {
  assert.equal(await start(...argv).ended, 0, argv.join(' '))
}

const timed = async (work) => {
  const begun = process.hrtime.bigint()
  await work()
  return count / (Number(process.hrtime.bigint() - begun) / 1e9)
}

async function fill(queue, size) {
  const line = 'x'.repeat(size)
  await run('sh', '-c', `yes ${line} | head -n ${count} | ${POLYPROC} put ${queue} --lines --create`)
  await run(POLYPROC, 'shutdown', queue)
}

const plainOut = (stream, size) => timed(() => run(PLAIN, 'out', server, stream, `${count}`, `${size}`))
const plainIn = (stream) => timed(() => run(PLAIN, 'in', server, stream, `${count}`))

async function bridgeOut(stream, size) {
  const queue = `out-${stream}`
  await fill(queue, size)
  const rate = await timed(() => run(POLYPROC, 'bridge', 'out', queue, `${server}/${stream}`))
  await run(POLYPROC, 'rm', queue)
  return rate
}

/** Until every message was got from the queue, and the stream is empty. */
async function bridgeIn(stream) {
  const queue = `in-${stream}`
  const rate = await timed(async () => {
    const bridge = start(POLYPROC, 'bridge', 'in', `${server}/${stream}`, queue, '--create')
    const got = async () => {
      while (!fs.existsSync(`/dev/shm/polyproc.${queue}`)) await sleep(1)
      await run(POLYPROC, 'get', queue, '-n', `${count}`, '--timeout', '60')
    }
    await got()
    await run(POLYPROC, 'bridge', 'wait', `${server}/${stream}`)
    bridge.kill('SIGTERM')
    bridge.isOver = true
    bridge.ended.then((code) => assert.equal(code, 0))
    running.push(bridge)
  })
  await Promise.all(running.map((bridge) => bridge.ended))
  await run(POLYPROC, 'rm', queue)
  return rate
}
const running = []

const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)]
const rate = (value) => Math.round(value).toLocaleString('en')

const nats = start(NATS_SERVER, '-a', '127.0.0.1', '-p', `${PORT}`, '-js', '-sd', room, '-l', path.join(room, 'log'))
let isTooSlow = false
try {
  for (let isThere = false; !isThere; await sleep(50)) {
    isThere = await new Promise((resolve) => {
      const socket = net.connect(PORT, '127.0.0.1', () => { socket.destroy(); resolve(true) })
      socket.on('error', () => resolve(false))
    })
  }
  console.log(`${count} messages, the median of ${rounds} rounds; messages in a second\n`)
  console.log('| | size | plain | bridge | ratio | of the rounds |\n|---|---:|---:|---:|---:|---|')
  for (const size of SIZES) {
    const rates = { out: [], in: [] }
    for (let round = 0; round < rounds; round++) {
      const both = [['plain', plainOut, plainIn], ['bridge', bridgeOut, bridgeIn]]
      const [out, into] = [{}, {}]
      for (const [name, publish, consume] of round % 2 === 0 ? both : both.reverse()) {
        const stream = `S${size}-${round}-${name}`
        // The server sets the streams' limits aside, also for those of the rounds before.
        await run(POLYPROC, 'bridge', 'setup', `${server}/${stream}`, '--max-bytes', `${count * (size + 1024)}`)
        out[name] = await publish(stream, size)
        into[name] = await consume(stream)
      }
      rates.out.push(out)
      rates.in.push(into)
    }
    for (const [direction, all] of Object.entries(rates)) {
      const ratios = all.map(({ plain, bridge }) => bridge / plain)
      const ratio = median(ratios)
      const [plain, bridge] = ['plain', 'bridge'].map((name) => median(all.map((one) => one[name])))
      isTooSlow ||= ratio < LEAST
      const range = [Math.min(...ratios), Math.max(...ratios)].map((one) => one.toFixed(2)).join(' to ')
      console.log(`| ${direction} | ${size} | ${rate(plain)} | ${rate(bridge)} | ${ratio.toFixed(2)} | ${range} |`)
    }
  }
} finally {
  nats.kill('SIGTERM')
  await nats.ended
  fs.rmSync(room, { recursive: true })
}
if (isTooSlow) process.exit(1)
