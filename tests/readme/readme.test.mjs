// The examples of docs/book/languages.md, one after the other: what a reader copies must work.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = path.resolve(fileURLToPath(import.meta.url), '../../..')
const page = fs.readFileSync(path.join(root, 'docs/book/languages.md'), 'utf8')
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'readme-test-'))
const library = [path.join(root, 'target/release/libpolyproc.a'), '-lpthread', '-ldl', '-lm']
const { Queue, unlink } = createRequire(import.meta.url)(path.join(root, 'bindings/node'))
const name = `readme-test-${process.pid}`
const letters = Queue.create({ name, joinable: true })

after(() => {
  letters.close()
  unlink(name)
  fs.rmSync(room, { recursive: true })
})

/**
 * Returns the next letter. A message that was got from a joinable queue stays unfinished until
 * task_done.
 */
function next() {
  const letter = letters.tryGet().toString()
  letters.taskDone()
  return letter
}

/** Writes the page's example in a language to a file, with a queue for this test. */
function example(language, file) {
  const block = page.match(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm'))
  assert.ok(block, `the page has an example in ${language}`)
  fs.mkdirSync(path.dirname(path.join(room, file)), { recursive: true })
  fs.writeFileSync(path.join(room, file), block[1].replace(/(["'])letters\1/g, `"${name}"`))
  return path.join(room, file)
}

const run = (program, ...args) =>
  execFileSync(program, args, { cwd: room, encoding: 'utf8', timeout: 300_000 })

for (const [compiler, ...standard] of [['cc', '-std=c99'], ['c++', '-std=c++17', '-x', 'c++']]) {
  test(`${compiler} compiles the example in C`, () => {
    const flags = [...standard, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-I', path.join(root, 'include')]
    run(compiler, ...flags, example('c', 'letters.c'), '-x', 'none', ...library, '-o', 'letters-c')
    run('./letters-c')
    assert.equal(next(), 'hello from C')
  })
}

test('the line that compiles the example in C against a checkout', () => {
  const [, line] = page.match(/^```sh\n(.*)\n```$/m)
  example('c', 'letters.c')
  execFileSync('sh', ['-euc', line], { cwd: room, env: { ...process.env, CHECKOUT: root } })
  run('./letters')
  assert.equal(next(), 'hello from C')
})

test('the example in C++', async () => {
  const flags = ['-std=c++17', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-I', path.join(root, 'include'), '-I', path.join(root, 'bindings/cpp')]
  run('c++', ...flags, example('cpp', 'letters.cpp'), ...library, '-o', 'letters-cpp')
  letters.tryPut(Buffer.from('first'))
  letters.tryPut(Buffer.from('second'))
  const program = spawn('stdbuf', ['-oL', path.join(room, 'letters-cpp')], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  program.stdout.setEncoding('utf8').on('data', (text) => { said += text })
  await letters.join() // both are finished
  const ended = once(program, 'close')
  program.kill('SIGKILL')
  await ended
  assert.equal(said, 'first\nsecond\n')
})

test('the example in Go', () => {
  example('go', 'go/main.go')
  const binding = path.join(root, 'bindings/go')
  fs.copyFileSync(path.join(binding, 'go.sum'), path.join(room, 'go/go.sum'))
  const requires = fs.readFileSync(path.join(binding, 'go.mod'), 'utf8').replace(/^module.*/, '')
  fs.writeFileSync(path.join(room, 'go/go.mod'),
    `module letters\n${requires}\nrequire polyproc.dev/polyproc v0.1.0\nreplace polyproc.dev/polyproc => ${binding}\n`)
  run('go', '-C', 'go', 'build', '-mod=mod', '-o', '../letters-go', '.')
  letters.tryPut(Buffer.from('a letter'))
  assert.equal(run('./letters-go'), 'a letter\n')
})

test('the example in JavaScript', () => {
  const file = example('js', 'letters.mjs')
  // A package of its own, independent of the folders above.
  fs.writeFileSync(path.join(room, 'package.json'), '{ "private": true }')
  fs.mkdirSync(path.join(room, 'node_modules'))
  fs.symlinkSync(path.join(root, 'bindings/node'), path.join(room, 'node_modules/polyproc'))
  assert.equal(run(process.execPath, file), '1 waiting\n')
  assert.equal(next(), 'hello from Node')
})

test('the example in Python', () => {
  run(path.join(root, 'build/python/venv/bin/python'), example('python', 'letters.py'))
  assert.equal(next(), 'hello from Python')
})

test('the example in Rust', () => {
  example('rust', 'letters-rs/src/main.rs')
  fs.writeFileSync(path.join(room, 'letters-rs/Cargo.toml'),
    `[package]\nname = "letters"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\npolyproc.path = "${root}"\n[workspace]\n`)
  fs.copyFileSync(path.join(root, 'Cargo.lock'), path.join(room, 'letters-rs/Cargo.lock'))
  run('cargo', 'run', '--quiet', '--offline', '--manifest-path', 'letters-rs/Cargo.toml',
    '--target-dir', path.join(root, 'build/readme'))
  assert.equal(next(), 'hello from Rust')
})

test('each example, run on a queue of another format, prints in what that differs', () => {
  unlink(name)
  const other = Queue.create({ name, joinable: true, format: 'msgpack' })
  const programs = [['./letters'], ['./letters-cpp'], ['./letters-go'], [process.execPath, 'letters.mjs'],
    [path.join(root, 'build/python/venv/bin/python'), 'letters.py'], [path.join(root, 'build/readme/debug/letters')]]
  for (const [program, ...args] of programs) {
    const { status, signal, stderr } = spawnSync(program, args, { cwd: room, encoding: 'utf8', timeout: 300_000 })
    assert.ok(status || signal === 'SIGABRT', program) // C++ ends by an exception that nobody catches
    // Only Python has a word for a queue without a format.
    const format = args.includes('letters.py') ? 'bytes' : ''
    assert.ok(stderr.includes(`an object of another kind or shape: format of the queue is "msgpack", asked for as "${format}"`), stderr)
  }
  other.close()
})
