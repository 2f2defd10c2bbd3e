// The first programs of docs/book/install.md with the commands that the page gives for a checkout.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = path.resolve(fileURLToPath(import.meta.url), '../../..')
const page = fs.readFileSync(path.join(root, 'docs/book/install.md'), 'utf8')
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'checkout-test-'))
const { unlink } = createRequire(import.meta.url)(path.join(root, 'bindings/node'))
const env = {
  ...process.env,
  CHECKOUT: root,
  CARGO_TARGET_DIR: path.join(root, 'build/readme/checkout'),
  GOFLAGS: '-modcacherw', // so that the folder can be removed
}

after(() => fs.rmSync(room, { recursive: true }))

/** Returns the command of a language in the table of the page's part about a checkout. */
function command(language) {
  const [, cell] = page.match(new RegExp(`^\\| ${language} \\| [^|]*\\| \`([^\`]*)\``, 'm'))
  return cell
}

/** Returns the commands of a language's first program. */
function program(language) {
  const part = page.split(`\n### ${language}\n`)[1]
  return part.match(/^```sh\n([^]*?)^```$/m)[1]
}

/** The lines that are left out for a checkout, and what is written for the last one of them. */
const INSTEAD = {
  C: [/^(?:tar|cc) .*\n/gm, command('C')],
  'C++': [/^(?:tar|c\+\+) .*\n/gm, command('C\\+\\+')],
  Go: [/^(?:export|go get) .*\n/gm, command('Go')],
  Node: [/^npm install .*\n/gm, command('Node')],
  Python: [/^python\/bin\/pip install .*\n/gm, `python/bin/${command('Python')}`],
  Rust: [/^(?:tar|cargo add) .*\n/gm, command('Rust')],
}

for (const [language, [lines, instead]] of Object.entries(INSTEAD)) {
  test(`the first program in ${language} from a checkout`, () => {
    const folder = path.join(room, language)
    fs.mkdirSync(folder)
    const name = `checkout-test-${process.pid}`
    const left = program(language).match(lines).length
    let seen = 0
    const script = program(language)
      .replace(lines, () => (++seen === left ? `${instead}\n` : ''))
      .replaceAll('first.letters', name)
      .replaceAll('target/debug/', `${env.CARGO_TARGET_DIR}/debug/`)
    assert.doesNotMatch(script, /\$DIST/)
    const said = execFileSync('sh', ['-euc', script], { cwd: folder, env, encoding: 'utf8', timeout: 300_000 })
    unlink(name)
    assert.equal(said.trim().split('\n').at(-1), 'hello')
  })
}
