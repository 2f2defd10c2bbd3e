// Sums up the workers' results. Paths and names are strings of one character per byte (latin1),
// because a path is bytes and need not be UTF-8.

const byCountThenName = ([nameA, countA], [nameB, countB]) =>
  countB - countA || (nameA < nameB ? -1 : 1)

export class Totals {
  files = 0
  bytes = 0
  lines = 0
  identifiers = 0
  duplicates = 0
  /** name -> how often */
  counts = new Map()
  /** { path, reason } of each file that could not be read */
  unreadable = []
  /** the path of each file with a NUL byte */
  binary = []
  #seen = new Set()

  /** How many files were reported, with whatever result. */
  get results() {
    return this.#seen.size
  }

  add(result) {
    const path = Buffer.from(result.path).toString('latin1')
    // If a worker is killed between its result and its "done", the next worker does the file again
    // and reports it twice.
    if (this.#seen.has(path)) {
      this.duplicates++
      return
    }
    this.#seen.add(path)
    if (result.status === 'ok') this.#addFile(result)
    else if (result.status === 'binary') this.binary.push(path)
    else this.unreadable.push({ path, reason: result.reason })
  }

  #addFile({ bytes, lines, names, counts }) {
    this.files++
    this.bytes += Number(bytes)
    this.lines += Number(lines)
    for (let i = 0; i < names.length; i++) {
      const count = Number(counts[i])
      this.identifiers += count
      this.counts.set(names[i], (this.counts.get(names[i]) ?? 0) + count)
    }
  }

  /** The `n` most frequent identifiers: [name, count], alphabetical where equal. */
  top(n) {
    return [...this.counts].sort(byCountThenName).slice(0, n)
  }

  /** Every figure, for the recount to compare. */
  toJSON() {
    return {
      files: this.files,
      bytes: this.bytes,
      lines: this.lines,
      identifiers: this.identifiers,
      distinct: this.counts.size,
      top: this.top(20),
      unreadable: this.unreadable.map(({ path }) => path).sort(),
      binary: [...this.binary].sort(),
      // Pairs: in an object the name __proto__ would be special.
      counts: [...this.counts],
    }
  }
}
