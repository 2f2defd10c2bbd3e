// The bridges beside a program that only publishes, or only pulls and acknowledges, over one server
// on this machine with the same streams: node run.mjs
//
// COUNT messages of each size, ROUNDS times, in turn. It exits with 1 if a bridge has less than 0.9
// of the other's throughput.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const { POLYPROC, PLAIN, NATS_SERVER } = process.env
const count = Number(process.env.COUNT || 100_000)
const rounds = Number(process.env.ROUNDS || 5)
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
  console.log('| | size | plain | bridge | ratio |\n|---|---:|---:|---:|---:|')
  for (const size of SIZES) {
    const rates = { out: [[], []], in: [[], []] }
    for (let round = 0; round < rounds; round++) {
      for (const [at, out, into] of [[0, plainOut, plainIn], [1, bridgeOut, bridgeIn]]) {
        const stream = `S${size}-${round}-${at}`
        await run(POLYPROC, 'bridge', 'setup', `${server}/${stream}`)
        rates.out[at].push(await out(stream, size))
        rates.in[at].push(await into(stream))
      }
    }
    for (const direction of ['out', 'in']) {
      const [plain, bridge] = rates[direction].map(median)
      const ratio = bridge / plain
      isTooSlow ||= ratio < LEAST
      console.log(`| ${direction} | ${size} | ${rate(plain)} | ${rate(bridge)} | ${ratio.toFixed(2)} |`)
    }
  }
} finally {
  nats.kill('SIGTERM')
  await nats.ended
  fs.rmSync(room, { recursive: true })
}
if (isTooSlow) process.exit(1)
