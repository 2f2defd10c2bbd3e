// The lines of an output, for checks: each line must be found once, and none may remain.
import assert from 'node:assert/strict'

export class Lines {
  #lines
  #found = new Set()

  constructor(lines) {
    this.#lines = lines
  }

  /** Returns where `text` is; it must be there once. */
  one(text) {
    const places = this.#places((line) => line === text)
    assert.equal(places.length, 1, `"${text}" is there ${places.length} times`)
    return places[0]
  }

  /** Returns the lines that match: `at`, and the numbers that the groups of the pattern caught. */
  all(pattern) {
    return this.#places((line) => pattern.test(line)).map((at) => ({
      at, numbers: this.#lines[at].match(pattern).slice(1).map(Number),
    }))
  }

  /**
   * Returns where the matching lines are, by the number that the pattern catches: 0 to n - 1, each
   * once.
   */
  each(n, pattern) {
    const places = []
    for (const { at, numbers: [number] } of this.all(pattern)) {
      assert.ok(number < n, `a number over ${n - 1}: ${this.#lines[at]}`)
      assert.equal(places[number], undefined, `twice: ${this.#lines[at]}`)
      places[number] = at
    }
    assert.equal(places.filter((at) => at !== undefined).length, n, `${pattern} does not have all of 0 to ${n - 1}`)
    return places
  }

  nothingElse() {
    const others = this.#lines.filter((_, at) => !this.#found.has(at))
    assert.deepEqual(others, [], 'lines that do not belong there')
  }

  #places(condition) {
    const places = [...this.#lines.keys()].filter((at) => condition(this.#lines[at]))
    for (const at of places) this.#found.add(at)
    return places
  }
}

/** Checks that the places are in this order in the output. */
export function inOrder(...places) {
  for (let i = 1; i < places.length; i++) assert.ok(places[i - 1] < places[i], `line ${places[i]} is after line ${places[i - 1]}`)
}
