// One server on this machine, with the port that the system chose, and `polyproc bridge` with it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './hosts.mjs'

export const ROOT = path.resolve(fileURLToPath(import.meta.url), '../../..')
const POLYPROC = path.join(ROOT, 'build/bridge/polyproc')

/** Runs `work` with the port of a server that has these lines in its configuration. Its files are in
 * `room`. */
export async function withServer(room, lines, work) {
  const conf = path.join(room, 'server.conf')
  fs.writeFileSync(conf, ['listen: "127.0.0.1:-1"', `ports_file_dir: "${room}"`, `jetstream { store_dir: "${path.join(room, 'nats')}" }`, ...lines].join('\n'))
  const server = spawn(path.resolve(ROOT, process.env.NATS_SERVER), ['-c', conf, '-l', path.join(room, 'log')], { stdio: 'ignore' })
  try {
    const ports = path.join(room, `nats-server_${server.pid}.ports`)
    const text = await until('a server', () => fs.existsSync(ports) && fs.readFileSync(ports, 'utf8'))
    await work(new URL(JSON.parse(text).nats[0]).port)
  } finally {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
}

/** The exit code of `polyproc bridge` with these arguments, and what it has printed. */
export function bridge(argv, env = {}) {
  const { status, stdout, stderr } = spawnSync(POLYPROC, ['bridge', ...argv], {
    env: { ...process.env, ...env }, encoding: 'utf8', timeout: 60_000,
  })
  return [status, stderr, stdout]
}
