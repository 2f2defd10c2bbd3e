// Starts the programs of examples/patterns for a test, and follows what they print.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = path.resolve(fileURLToPath(import.meta.url), '../../..')
const PATTERNS = path.join(ROOT, 'examples/patterns')
const BUILD = path.join(ROOT, 'build/patterns')
export const PYTHON = path.join(ROOT, 'build/python/venv/bin/python')
const { Process, Queue, unlink, list } = createRequire(import.meta.url)(path.join(ROOT, 'bindings/node'))
export { Process, Queue }
// Far longer than any program takes on a busy machine.
const DEADLINE_MS = 120_000
/** As an argument: longer than any test. */
export const LONG = '1000'

/** Python prints each line at once, and the shell finds the command `polyproc`. */
const ENVIRONMENT = {
  ...process.env, PYTHONUNBUFFERED: '1', PATH: `${path.join(ROOT, 'target/cli')}:${process.env.PATH}`,
}

const running = new Set()

function command(file) {
  const extension = path.extname(file)
  const source = path.join(PATTERNS, file)
  if (extension === '.py') return [PYTHON, source]
  if (extension === '.js' || extension === '.mjs') return [process.execPath, source]
  if (extension === '.sh') return ['sh', source]
  return [path.join(BUILD, `${file.slice(0, -extension.length)}-${extension.slice(1)}`)]
}

/** A program that runs. `lines` are what it has printed so far. */
class Program {
  lines = []
  #errors = ''
  #seen = 0
  #wake = () => {}

  constructor(argv, cwd = PATTERNS) {
    this.argv = argv
    this.child = spawn(argv[0], argv.slice(1), {
      cwd, stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT, detached: true, // a group of its own
    })
    running.add(this)
    let text = ''
    this.child.stdout.setEncoding('utf8').on('data', (more) => {
      text += more
      this.lines = text.split('\n').slice(0, -1)
      this.#wake()
    })
    this.child.stderr.setEncoding('utf8').on('data', (more) => (this.#errors += more))
    this.closed = new Promise((resolve) => this.child.on('close', (code, signal) => {
      this.ended = code ?? signal
      running.delete(this)
      this.#wake()
      resolve(this.ended)
    }))
  }

  #fail(what) {
    return assert.fail(`${this.argv.join(' ')}: ${what}\n${this.lines.join('\n')}\n${this.#errors}`)
  }

  /** Waits for the next line that matches, and returns the match. */
  async line(pattern) {
    const late = setTimeout(() => { this.late = true; this.#wake() }, DEADLINE_MS)
    try {
      for (;;) {
        while (this.#seen < this.lines.length) {
          const match = this.lines[this.#seen++].match(pattern)
          if (match) return match
        }
        if (this.late || this.ended !== undefined) this.#fail(`no line ${pattern}`)
        await new Promise((resolve) => (this.#wake = resolve))
      }
    } finally {
      clearTimeout(late)
    }
  }

  /** Waits for the end with exit code 0, and returns the lines. */
  async end(code = 0) {
    const late = setTimeout(() => process.kill(-this.child.pid, 'SIGKILL'), DEADLINE_MS)
    const ended = await this.closed
    clearTimeout(late)
    if (ended !== code) this.#fail(`ended with ${ended}`)
    return this.lines
  }

  /** Kills the program, and then what it has started: a program of `polyproc take`. */
  async kill() {
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
    assert.equal(await this.closed, 'SIGKILL')
  }
}

/** Starts a program of examples/patterns: start('work_queue/worker.go', '0'). */
export const start = (file, ...args) => new Program([...command(file), ...args])

/** Starts a command in the root of the project. */
export const run = (...argv) => new Program(argv, ROOT)

/** Starts run.sh with a program: it starts the program again each time it is killed. */
export const startAgain = (file) => new Program(['sh', path.join(PATTERNS, 'poison/run.sh'), ...command(file)])

const names = () => list().map(({ name }) => name).filter((name) => name.startsWith('book.'))

/** Ends what a failed test has left running, and removes the names of the programs. */
export async function clean() {
  for (const program of running) process.kill(-program.child.pid, 'SIGKILL')
  await Promise.all([...running].map((program) => program.closed))
  for (const name of names()) unlink(name)
}

/** A folder for a test, removed after it. */
export function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'patterns-'))
  t.after(() => fs.rmSync(made, { recursive: true }))
  return made
}
