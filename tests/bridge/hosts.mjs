// Machines made of namespaces. Each host has a network interface and a /dev/shm of its own; a
// switch, in a namespace too, joins them. Everything ends with this process, however it ends.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The kernel kills a process that was started so when this one dies. */
const TIED = ['setpriv', '--pdeathsig', 'KILL', '--']
// Far longer than anything takes on a busy machine.
const DEADLINE_MS = 120_000

/** Waits until something is so, and returns it. */
export async function until(what, isSo, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline
  for (let value; ; await sleep(20)) {
    if ((value = await isSo())) return value
    assert.ok(Date.now() < end, `never: ${what}`)
  }
}

/** A process that has a network and mounts of its own, in which others are started. */
async function namespaces(script) {
  const holder = spawn(TIED[0], [...TIED.slice(1), 'unshare', '--net', '--mount', '--propagation', 'private',
    'sh', '-ec', `${script}; echo ready; exec cat`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [ready] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(() => ['no namespace'])])
  assert.equal(`${ready}`, 'ready\n')
  return holder
}

/** A process on a host. */
class Running {
  output = ''

  constructor(host, argv, { log, env }) {
    this.child = spawn(TIED[0], [...TIED.slice(1), 'nsenter', '-t', host.holder.pid, '-n', '-m', '--', ...argv], {
      stdio: ['ignore', 'pipe', log], env: { ...process.env, ...env }, detached: true, // a group of its own
    })
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.output += text))
    const outcome = (event) => new Promise((resolve, reject) => {
      this.child.on('error', reject).on(event, (code, signal) => resolve(code ?? signal))
    })
    /** When it has exited; what it has started may run. */
    this.exited = outcome('exit')
    /** When nothing will be printed any more. */
    this.ended = outcome('close')
  }

  /** Kills it with what it has started. */
  killGroup() {
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }

  signal(name) {
    this.child.kill(name)
  }

  /** The letter of its state in /proc: T when it is stopped. */
  state() {
    const stat = fs.readFileSync(`/proc/${this.child.pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2)[0]
  }

  /** Waits for the end with exit code 0, and returns what was printed. */
  async ok() {
    const code = await this.ended
    assert.equal(code, 0, `${this.child.spawnargs.join(' ')}\n${this.output}`)
    return this.output
  }
}

/** The hosts of one test, joined by a switch. */
export class Network {
  #hosts = new Map()

  static async create(folder) {
    const network = new Network()
    network.folder = folder
    network.log = fs.openSync(`${folder}/log`, 'a')
    network.switch = await namespaces('ip link add name switch type bridge && ip link set switch up')
    return network
  }

  #inSwitch(...argv) {
    execFileSync('nsenter', ['-t', this.switch.pid, '-n', '--', 'ip', ...argv])
  }

  /** Starts a host. Its address is 10.0.0.NUMBER. */
  async host(name) {
    const number = this.#hosts.size + 1
    const host = new Host(this, name, `10.0.0.${number}`)
    host.holder = await namespaces(`mount -t tmpfs none /dev/shm && ip link set lo up`)
    const inHost = (...argv) => execFileSync('nsenter', ['-t', host.holder.pid, '-n', '--', 'ip', ...argv])
    this.#inSwitch('link', 'add', 'name', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.holder.pid)
    this.#inSwitch('link', 'set', 'dev', `to-${name}`, 'master', 'switch', 'up')
    inHost('address', 'add', `${host.address}/24`, 'dev', 'eth0')
    inHost('link', 'set', 'dev', 'eth0', 'up')
    this.#hosts.set(name, host)
    return host
  }

  cut(host) {
    this.#inSwitch('link', 'set', 'dev', `to-${host.name}`, 'down')
  }

  mend(host) {
    this.#inSwitch('link', 'set', 'dev', `to-${host.name}`, 'up')
  }

  async end() {
    for (const host of this.#hosts.values()) await host.kill()
    this.switch.kill('SIGKILL')
    await once(this.switch, 'exit')
    fs.closeSync(this.log)
  }
}

class Host {
  #processes = []
  isDead = false

  constructor(network, name, address) {
    Object.assign(this, { network, name, address })
  }

  /** Starts a program. */
  start(argv, env = {}) {
    const running = new Running(this, argv, { log: this.network.log, env })
    this.#processes.push(running)
    return running
  }

  /** Runs a program to its end. */
  run(...argv) {
    return this.start(argv).ok()
  }

  /** Keeps a program running, as a service manager does: started again whenever it ends. */
  keep(argv, env = {}) {
    const kept = { times: 0, current: undefined, isKept: true }
    const again = async () => {
      while (kept.isKept && !this.isDead) {
        kept.current = this.start(argv, env)
        kept.times++
        await kept.current.ended
        await sleep(100)
      }
    }
    kept.over = again()
    kept.end = async () => {
      kept.isKept = false
      kept.current.signal('SIGKILL')
      await kept.over
    }
    return kept
  }

  /** Kills all processes of the host, and with them its shared memory and its network. */
  async kill() {
    if (this.isDead) return
    this.isDead = true
    for (const running of this.#processes) running.killGroup()
    this.holder.kill('SIGKILL')
    await Promise.all([...this.#processes.map((running) => running.ended), this.holder.exitCode ?? this.holder.signalCode ?? once(this.holder, 'exit')])
  }
}

/** Whether this user may make namespaces. */
export function canMakeHosts() {
  try {
    execFileSync('unshare', ['--net', '--mount', 'ip', 'link', 'add', 'name', 'x', 'type', 'bridge'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
