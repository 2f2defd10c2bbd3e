// The report as one HTML file that needs nothing else: no script, no font, no link.
import { html, number, printable, summary } from './text.js'

const ROW = 26
const LABEL = 210
const WIDTH = 760
const COUNT = 90

const STYLE = `
:root { color-scheme: light dark; --text: #1f2328; --quiet: #59636e; --bar: #0969da; --back: #ffffff; --line: #d1d9e0 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --quiet: #9198a1; --bar: #4493f8; --back: #0d1117; --line: #3d444d }
}
body { margin: 2rem auto; max-width: 50rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back) }
h1 { font-size: 1.4rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin-top: 2rem }
svg { width: 100%; height: auto }
svg text { font: 13px ui-monospace, monospace; fill: var(--text) }
svg rect { fill: var(--bar) }
table { border-collapse: collapse }
th, td { padding: .2rem 1.5rem .2rem 0; text-align: left; border-bottom: 1px solid var(--line) }
td { text-align: right; font-variant-numeric: tabular-nums }
th { font-weight: normal; color: var(--quiet) }
li { overflow-wrap: anywhere }
`

function svg(entries) {
  const most = entries[0]?.[1] ?? 1
  const rows = entries.map(([name, count], i) => {
    const width = Math.max(1, ((WIDTH - LABEL - COUNT) * count) / most)
    const middle = i * ROW + ROW / 2
    const label = name.length > 24 ? `${name.slice(0, 23)}…` : name
    return `<g><title>${html(name)}: ${number(count)}</title>` +
      `<text x="${LABEL - 8}" y="${middle}" text-anchor="end" dominant-baseline="central">${html(label)}</text>` +
      `<rect x="${LABEL}" y="${i * ROW + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2"/>` +
      `<text x="${(LABEL + width + 8).toFixed(1)}" y="${middle}" dominant-baseline="central">${number(count)}</text></g>`
  })
  return `<svg viewBox="0 0 ${WIDTH} ${Math.max(1, entries.length) * ROW}" role="img" aria-label="Bar chart of the most frequent identifiers">\n` +
    `${rows.join('\n')}\n</svg>`
}

function list(title, items) {
  if (items.length === 0) return ''
  const lines = items.map((item) => `<li>${html(item)}</li>`).join('\n')
  return `<h2>${title}</h2>\n<ul>\n${lines}\n</ul>\n`
}

function table(totals) {
  const rows = [
    ['files', totals.files],
    ['lines', totals.lines],
    ['bytes', totals.bytes],
    ['identifiers', totals.identifiers],
    ['different identifiers', totals.counts.size],
    ['unreadable files', totals.unreadable.length],
    ['binary files', totals.binary.length],
    ['results that came twice', totals.duplicates],
  ]
  return rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${number(value)}</td></tr>`).join('\n')
}

export function page(directory, totals, top, seconds) {
  const title = `Identifiers below ${html(printable(directory))}`
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<p>${html(summary(totals, seconds))}</p>
<h2>The ${top.length} most frequent</h2>
${svg(top)}
<h2>Figures</h2>
<table>
<tbody>
${table(totals)}
</tbody>
</table>
${list('Unreadable', totals.unreadable.map(({ path, reason }) => `${printable(path)}: ${reason}`))}${list('Binary', totals.binary.map(printable))}</body>
</html>
`
}
