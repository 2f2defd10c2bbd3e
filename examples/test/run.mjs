// Runs an example for a test, and checks that nothing of it remains.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const EXAMPLES = path.resolve(fileURLToPath(import.meta.url), '../..')
export const TUTORIAL = path.join(EXAMPLES, 'tutorial')
const BUILD = path.resolve(process.env.BUILD || path.join(EXAMPLES, '../build'))
// Far longer than any program takes on a busy machine: a program that exceeds it hangs.
const DEADLINE_MS = 180_000

export const LANGUAGES = {
  c: { source: 'main.c', command: (name) => [path.join(BUILD, 'examples/c', name)] },
  cpp: { source: 'main.cpp', command: (name) => [path.join(BUILD, 'examples/cpp', name)] },
  go: { source: 'main.go', command: (name) => [path.join(BUILD, 'examples/go', name)] },
  node: { source: 'main.js', command: (name) => [process.execPath, path.join(TUTORIAL, name, 'main.js')] },
  python: { source: 'main.py', command: (name) => [path.join(BUILD, 'python/venv/bin/python'), path.join(TUTORIAL, name, 'main.py')] },
}

/** Returns the programs of the tutorial in a language. */
export function programsIn(language) {
  const { source } = LANGUAGES[language]
  return fs.readdirSync(TUTORIAL).filter((name) => fs.existsSync(path.join(TUTORIAL, name, source)))
}

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
  const deadline = performance.now() + DEADLINE_MS
  for (; !condition(); await sleep(10)) assert.ok(performance.now() < deadline, `${what}: not within ${DEADLINE_MS} ms`)
}

/**
 * Returns what a program printed and when, after it and all its processes have ended. `seconds` and
 * `arrivals` count from the start, in the program's own seconds of `ms` milliseconds each. `onLine`
 * gets each line as it comes.
 */
export async function run(language, name, ms, more = [], onLine = () => {}) {
  const mark = `EXAMPLES_TEST=${randomUUID()}`
  const names = fs.readdirSync('/dev/shm')
  const [program, ...args] = LANGUAGES[language].command(name)
  const output = { pid: undefined, stdout: '', stderr: '', lines: [], arrivals: [], seconds: 0 }
  const start = performance.now()
  const seconds = () => (performance.now() - start) / ms
  const child = spawn(program, [...args, String(ms), ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Unbuffered, Python's print writes the end of a line by itself.
    env: { ...process.env, EXAMPLES_TEST: mark.split('=')[1], PYTHONUNBUFFERED: '' },
  })
  output.pid = child.pid
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
    output.lines = output.stdout.split('\n').slice(0, -1)
    while (output.arrivals.length < output.lines.length) {
      onLine(output.lines[output.arrivals.length])
      output.arrivals.push(seconds())
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text))

  // 'close' comes when every process that has stdout is gone, the children too.
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  const code = await Promise.race([ended, sleep(DEADLINE_MS, 'deadline', { ref: false })])
  if (code === 'deadline') {
    for (const pid of marked(mark)) process.kill(pid, 'SIGKILL')
    assert.fail(`did not end within ${DEADLINE_MS} ms\n${output.stdout}\n${output.stderr}`)
  }
  await until('the end of every process', () => marked(mark).length === 0)
  output.seconds = seconds()

  // Other processes may use /dev/shm meanwhile: only a name that stays can be from this run.
  let suspects = fs.readdirSync('/dev/shm').filter((found) => !names.includes(found))
  await until(`/dev/shm without ${suspects}`, () => {
    const found = fs.readdirSync('/dev/shm')
    suspects = suspects.filter((suspect) => found.includes(suspect))
    return suspects.length === 0
  })

  assert.equal(output.stderr, '')
  assert.equal(code, 0)
  assert.ok(output.stdout.endsWith('\n'), 'the last line is whole')
  return output
}
