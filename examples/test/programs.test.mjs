// Runs every example in every language, and checks its output against contract.md. LANGUAGES="c go
// node" and PROGRAMS="ktv chat" in the environment select some of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHECKS } from './checks.mjs'
import { LANGUAGES, programsIn, run } from './run.mjs'

const chosen = (variable, all) => process.env[variable]?.split(/\s+/).filter(Boolean).map((name) => {
  assert.ok(all.includes(name), `${variable}: there is no ${name}`)
  return name
}) ?? []
const some = (variable, all) => (chosen(variable, all).length > 0 ? chosen(variable, all) : all)
const languages = some('LANGUAGES', Object.keys(LANGUAGES))
const programs = some('PROGRAMS', Object.keys(CHECKS))

/**
 * The length of a program's second in milliseconds. However slow the machine is, daemon must not
 * reach its 3 s, and the two workers of pool_square must have begun within 1 s.
 */
const MILLISECONDS = 100
const LONGER = { daemon: 20_000, pool_square: 1000 }

for (const language of languages) {
  test(`the programs in ${language} are those that have a check`, () => {
    // Two programs that talk to each other: echo.test.mjs.
    const found = programsIn(language).filter((name) => !name.startsWith('echo_'))
    assert.deepEqual(found.sort(), Object.keys(CHECKS).sort())
  })
}

for (const name of programs) {
  for (const language of languages) {
    test(`${name} in ${language}`, async () => {
      const output = await run(language, name, LONGER[name] ?? MILLISECONDS)
      try {
        CHECKS[name](output)
      } catch (error) {
        error.message += `\n${output.stdout}`
        throw error
      }
      seesWrongLines(CHECKS[name], output)
    })
  }
}

/** A check must fail: with any line removed, and with any line twice. */
function seesWrongLines(check, output) {
  output.lines.forEach((line, at) => {
    // Without its last turn the light has still done nothing wrong.
    const mayBeMissing = line.startsWith('light:')
    const changed = (replacement) => ({ ...output, lines: output.lines.toSpliced(at, 1, ...replacement) })
    if (!mayBeMissing) assert.throws(() => check(changed([])), { code: 'ERR_ASSERTION' }, `"${line}" was not missed`)
    assert.throws(() => check(changed([line, line])), { code: 'ERR_ASSERTION' }, `"${line}" was there twice`)
  })
}
