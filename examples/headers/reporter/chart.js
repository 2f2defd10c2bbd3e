// The bar chart in the terminal.
import { number } from './text.js'

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function bar(share, width, unicode) {
  if (!unicode) return '#'.repeat(Math.max(1, Math.round(share * width)))
  const eighths = Math.max(1, Math.round(share * width * 8))
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]
}

const cut = (text, width) => (text.length <= width ? text : `${text.slice(0, width - 1)}~`)

/**
 * One line per [name, count]: the name, a bar that the largest count fills, the count. No line is
 * wider than `width` if that leaves room for a bar at all.
 */
export function chart(entries, width, { unicode, paint }) {
  if (entries.length === 0) return []
  const counts = entries.map(([, count]) => number(count))
  const countWidth = Math.max(...counts.map((text) => text.length))
  const longest = Math.max(...entries.map(([name]) => name.length))
  const nameWidth = Math.min(longest, Math.max(8, Math.floor(width * 0.4)))
  const barWidth = Math.max(1, width - nameWidth - countWidth - 3)
  const most = entries[0][1]
  return entries.map(([name, count], i) => {
    const drawn = bar(count / most, barWidth, unicode)
    const label = cut(name, nameWidth).padStart(nameWidth)
    return `${label} ${paint(drawn)} ${counts[i]}`
  })
}

/** Whether the terminal, or the reader of the output, takes UTF-8. */
export function takesUnicode(env) {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '')
}
