// The reporter: takes the workers' results until their queue is shut down, shows the progress, and
// ends with the report. headers.c starts it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { createColors } from 'picocolors'
import { Queue } from 'polyproc'
import { Totals } from './aggregate.js'
import { chart, takesUnicode } from './chart.js'
import { page } from './page.js'
import { Progress } from './progress.js'
import { number, printable, summary } from './text.js'

const SHOWN_PATHS = 10
const unicode = takesUnicode(process.env)

function settings() {
  const string = { type: 'string' }
  const { values } = parseArgs({
    options: { directory: string, total: string, since: string, html: string, json: string },
  })
  return { ...values, total: Number(values.total), since: BigInt(values.since) }
}

// hrtime is CLOCK_MONOTONIC, the clock by which headers.c says when it began.
const secondsSince = (since) => Number(process.hrtime.bigint() - since) / 1e9

async function aggregate(results, { total, since }) {
  const totals = new Totals()
  const progress = new Progress(total, process.stderr, unicode)
  process.on('SIGTERM', () => {
    progress.stop()
    process.exit(143)
  })
  for await (const result of results) {
    totals.add(result)
    progress.update(totals.results, secondsSince(since))
  }
  progress.stop()
  return totals
}

function list(title, paths) {
  const lines = paths.slice(0, SHOWN_PATHS).map((path) => `  ${path}`)
  if (paths.length > SHOWN_PATHS) lines.push(`  and ${number(paths.length - SHOWN_PATHS)} more`)
  return paths.length === 0 ? [] : [`${title}:`, ...lines]
}

function report({ directory, html }, totals, top, seconds) {
  // `isTTY` is undefined for a file, and createColors would then look for a CI that shows colours.
  const tty = process.stdout.isTTY === true
  const colors = createColors(tty && !process.env.NO_COLOR && process.env.TERM !== 'dumb')
  const width = process.stdout.columns ?? (Number(process.env.COLUMNS) || 80)
  const unreadable = totals.unreadable.map(({ path, reason }) => `${printable(path)}: ${reason}`)
  return [
    `${colors.bold(printable(Buffer.from(directory).toString('latin1')))}: ${summary(totals, seconds)}`,
    `${number(totals.identifiers)} identifiers, ${number(totals.counts.size)} different`,
    `unreadable files: ${unreadable.length}, binary files: ${totals.binary.length}, ` +
      `results that came twice (counted once): ${totals.duplicates}`,
    ...list('unreadable', unreadable),
    ...list('binary', totals.binary.map(printable)),
    '',
    colors.bold(`The ${top.length} most frequent identifiers`),
    ...chart(top, width, { unicode, paint: colors.cyan }),
    '',
    `page: ${html}`,
    '',
  ].join('\n')
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

// Ctrl-C reaches every process of the terminal's group. headers.c decides how to react, and sends
// SIGTERM.
process.on('SIGINT', () => {})
// The reader of the report has closed the pipe (`| head`).
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const options = settings()
const results = Queue.inherited('results')
const totals = await aggregate(results, options)
const seconds = secondsSince(options.since)
const top = totals.top(20)
write(options.json, JSON.stringify(totals))
write(options.html, page(Buffer.from(options.directory).toString('latin1'), totals, top, seconds))
process.stdout.write(report(options, totals, top, seconds))
