// Runs the pipeline for a test, and checks that nothing of it remains.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const EXAMPLE = path.resolve(fileURLToPath(import.meta.url), '../..')
export const BUILD = path.resolve(process.env.BUILD || path.join(EXAMPLE, '../../build'))
const DEADLINE_MS = 60_000

/** root can read everything; without these two capabilities it cannot. */
const LIKE_ANYONE = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--']
export const asAnyone = process.getuid() === 0 ? LIKE_ANYONE : []
export const cannotBeAnyone = asAnyone.length > 0 && spawnSync(asAnyone[0], [...asAnyone.slice(1), 'true']).status !== 0
  ? 'root needs setpriv (util-linux) to be refused a file' : false

/** The pids of the processes that have `mark` in their environment. */
function marked(mark) {
  return fs.readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark)
    } catch {
      return false // gone, or a zombie
    }
  }).map(Number)
}

async function until(what, condition) {
  const deadline = Date.now() + DEADLINE_MS
  for (let value; !(value = await condition()); await sleep(10))
    assert.ok(Date.now() < deadline, `${what}: not within ${DEADLINE_MS} ms`)
}

/** A run under way. */
export class Run {
  stdout = ''
  stderr = ''
  #mark = `HEADERS_TEST=${randomUUID()}`
  #names = fs.readdirSync('/dev/shm').sort()

  constructor(command, env = {}) {
    const [name, value] = this.#mark.split('=')
    this.child = spawn(command[0], command.slice(1), {
      // A process group of its own, as a shell gives each job.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, INPUT: '', WORKERS: '', KILL: '', CHECK: '', HTML: '', LC_ALL: 'C.UTF-8', ...env, [name]: value },
    })
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text))
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text))
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => resolve(code ?? signal))
    })
  }

  get output() {
    return `${this.stdout}\n${this.stderr}`
  }

  /** The children's pids, by program: `worker`, `node`. */
  children(program) {
    return marked(this.#mark).filter((pid) => {
      try {
        return pid !== this.child.pid && path.basename(fs.readlinkSync(`/proc/${pid}/exe`)) === program
      } catch {
        return false
      }
    })
  }

  /** Waits until the workers have used the processor for a while. */
  async atWork() {
    const ticks = (pid) => Number(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')[11])
    await until('work under way', () => this.children('worker').some((pid) => ticks(pid) >= 5))
  }

  /** Returns the exit code or the signal's name. Nothing of the run may remain then. */
  async end() {
    const code = await Promise.race([this.ended, sleep(DEADLINE_MS, 'timeout', { ref: false })])
    if (code === 'timeout') {
      process.kill(-this.child.pid, 'SIGKILL')
      assert.fail(`the run did not end within ${DEADLINE_MS} ms\n${this.output}`)
    }
    await this.nothingLeft()
    return code
  }

  async nothingLeft() {
    await until('the end of every process', () => marked(this.#mark).length === 0)
    assert.deepEqual(fs.readdirSync('/dev/shm').sort(), this.#names, 'in /dev/shm')
  }
}

/** `run`, as `make demo` calls it. */
export const demo = (env, before = []) => new Run([...before, path.join(EXAMPLE, 'run')], env)
