// Formats figures and paths.

const separated = new Intl.NumberFormat('en-US')
const scaled = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

export const number = (value) => separated.format(value)

export function size(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1000
  return `${scaled.format(bytes)} ${units[unit]}`
}

const escapeByte = (code) => `\\x${code.toString(16).padStart(2, '0')}`

/** A path (latin1) as text that is safe on a terminal: nothing in it moves the cursor. */
export function printable(path) {
  const bytes = Buffer.from(path, 'latin1')
  let text
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    text = path.replace(/[\x80-\xff]/g, (char) => escapeByte(char.charCodeAt(0)))
    return text.replace(/[\x00-\x1f\x7f]/g, (char) => escapeByte(char.charCodeAt(0)))
  }
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    char < '\x80' ? escapeByte(char.charCodeAt(0)) : `\\u{${char.codePointAt(0).toString(16)}}`)
}

export const html = (text) =>
  String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

/** One line that sums up the counts; the terminal and the page begin with it. */
export function summary(totals, seconds) {
  const rate = Math.round(totals.results / seconds)
  return `${number(totals.files)} files, ${number(totals.lines)} lines, ${size(totals.bytes)} ` +
    `in ${seconds.toFixed(2)} s (${number(rate)} files/s)`
}
