// echo_server and echo_client: every language with every other, CPython among them, checked against
// contract.md. LANGUAGES="c go node" in the environment selects some of them.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { LANGUAGES, run } from './run.mjs'

const MILLISECONDS = 1000
LANGUAGES.cpython = { command: (name) => ['python3', fileURLToPath(import.meta.resolve('./echo.py')), name] }
const chosen = process.env.LANGUAGES?.split(/\s+/).filter(Boolean) ?? []
const all = Object.keys(LANGUAGES)
const languages = all.filter((language) => language === 'cpython' || chosen.length === 0 || chosen.includes(language))

const list = '["hello", 88, "World!"]'
const served = [`sends ${list}`, `gets ${list}`]
const refused = ['refused: the key is wrong']

for (const server of languages) {
  test(`echo_server in ${server}`, async () => {
    const clients = languages.filter((client) => client !== 'cpython' || server !== 'cpython')
    let found
    const address = new Promise((resolve) => (found = resolve))
    const serving = run(server, 'echo_server', MILLISECONDS, ['tcp://127.0.0.1:0', String(2 * clients.length)], (line) => {
      const [, at] = /^listening at (tcp:\/\/127\.0\.0\.1:[1-9]\d*)$/.exec(line) ?? []
      if (at !== undefined) found(at)
    })
    const at = await Promise.race([address, serving.then((output) => assert.fail(`${output.stdout}ends at once`))])
    for (const client of clients) {
      const say = async (key) => (await run(client, 'echo_client', MILLISECONDS, [at, key])).lines
      assert.deepEqual(await say('Hello World!'), served, client)
      assert.deepEqual(await say('another'), refused, client)
      assert.deepEqual(await say('Hello World!'), served, client)
    }
    const { lines } = await serving
    const expected = clients.flatMap((_, at) => [2 * at + 1, 2 * at + 2]).flatMap((n) => [`client ${n} comes`, `client ${n} leaves`])
    assert.deepEqual(lines, [`listening at ${at}`, ...expected])
  })
}
