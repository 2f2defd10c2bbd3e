// A Prometheus scrapes `polyproc exporter`: the rules of the book load, and each query of the
// dashboard has an answer. Run by `make test-alerts`.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'

const { POLYPROC, PROMETHEUS, PRODUCTION } = process.env
const room = mkdtempSync(path.join(tmpdir(), 'polyproc-prometheus-'))
const children = []
let api

function polyproc (...args) {
  const result = spawnSync(POLYPROC, args, { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
}

function start (program, args, stdio = 'ignore') {
  const child = spawn(program, args, { stdio })
  children.push(child)
  return child
}

async function freePort () {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function ask (what) {
  const answer = await fetch(`${api}/${what}`)
  return (await answer.json()).data
}

const query = async (expression) => (await ask(`query?query=${encodeURIComponent(expression)}`)).result

async function until (what, isSo) {
  for (const end = Date.now() + 60_000; ;) {
    if (await isSo().catch(() => false)) return
    assert.ok(Date.now() < end, `never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

before(async () => {
  polyproc('put', 'jobs', '--create', '--joinable', 'one', 'two')
  start(POLYPROC, ['take', 'jobs', '--', 'sleep', '1000'])
  start(POLYPROC, ['lock', 'guard', '--', 'sleep', '1000'])
  const exporter = start(POLYPROC, ['exporter', '--listen', '127.0.0.1:0'], ['ignore', 'ignore', 'pipe'])
  const lines = createInterface({ input: exporter.stderr })
  const address = new URL(await new Promise((resolve) => lines.once('line', resolve)))
  const config = path.join(room, 'prometheus.yml')
  writeFileSync(config, JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [path.join(PRODUCTION, 'alerts.yml')],
    scrape_configs: [{ job_name: 'polyproc', static_configs: [{ targets: [address.host] }] }]
  }))
  const listen = `127.0.0.1:${await freePort()}`
  api = `http://${listen}/api/v1`
  start(PROMETHEUS, [`--config.file=${config}`, `--storage.tsdb.path=${path.join(room, 'data')}`,
    `--web.listen-address=${listen}`, '--log.level=error'])
  // A rate needs two scrapes.
  await until('two scrapes', async () => (await query('count_over_time(polyproc_queue_items[1m]) >= 2')).length > 0)
})

after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(room, { recursive: true, force: true })
})

test('the numbers are those of the queue', async () => {
  const value = async (expression) => Number((await query(expression))[0].value[1])
  assert.equal(await value('polyproc_queue_items{name="jobs"}'), 1)
  assert.equal(await value('polyproc_queue_puts_total{name="jobs"}'), 2)
  await until('a lease that grows older', async () => await value('polyproc_queue_oldest_lease_seconds') > 1)
})

test('each query of the dashboard has an answer', async () => {
  const { panels } = JSON.parse(readFileSync(path.join(PRODUCTION, 'dashboard.json'), 'utf8'))
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const expression = expr.replace('$queue', '.*').replace('$__rate_interval', '1m')
      assert.ok((await query(expression)).length > 0, `${title}: ${expression}`)
    }
  }
})

test('the rules are loaded, and none fires here', async () => {
  await until('an evaluation', async () => {
    const [{ rules }] = (await ask('rules')).groups
    return rules.length === 3 && rules.every(({ health, state }) => health === 'ok' && state === 'inactive')
  })
})
