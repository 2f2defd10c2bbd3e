// Every example in every language: run, and its output held against contract.md.
// LANGUAGES="c go node" and PROGRAMS="ktv chat" in the environment choose some of them.
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

/** How many milliseconds a program takes for a second. daemon must not reach its 3 s, and the two
 * workers of pool_square must have begun within 1 s, however slow the machine. */
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

/** A check is worth something only if it fails: it must, with any line gone, and with any line there twice. */
function seesWrongLines(check, output) {
  output.lines.forEach((line, at) => {
    // Without its last turn, the light has done nothing wrong.
    const mayBeMissing = line.startsWith('light:')
    const changed = (replacement) => ({ ...output, lines: output.lines.toSpliced(at, 1, ...replacement) })
    if (!mayBeMissing) assert.throws(() => check(changed([])), { code: 'ERR_ASSERTION' }, `"${line}" was not missed`)
    assert.throws(() => check(changed([line, line])), { code: 'ERR_ASSERTION' }, `"${line}" was there twice`)
  })
}
