// The pages of the project, their headings, links and blocks of code.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = path.resolve(fileURLToPath(import.meta.url), '../../..')

/** The files of the project, also new ones. */
export const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'],
  { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n').filter((file) => file && fs.existsSync(path.join(ROOT, file)))
export const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8')
export const pages = files.filter((file) => file.endsWith('.md'))

const FENCE = /^( *)(```+)([^\n]*)\n([^]*?)^\1\2 *$/gm

/** The fenced blocks of a text: { language, code, line }. */
export function fenced(text) {
  return [...text.matchAll(FENCE)].map((match) => ({
    language: match[3].trim().split(/[\s,]/)[0],
    code: match[4],
    line: text.slice(0, match.index).split('\n').length,
  }))
}

/** A text without its fenced blocks, with as many lines. */
export const prose = (text) => text.replace(FENCE, (block) => block.replace(/[^\n]/g, ''))

/** The indented blocks of a text, as lists of lines. */
export function indented(text) {
  const blocks = []
  let before = ''
  let block
  for (const line of prose(text).split('\n')) {
    if (/^ {4}\S/.test(line) && (block || before === '')) {
      if (!block) blocks.push(block = [])
      block.push(line.slice(4))
    } else if (!/^ {4}|^$/.test(line)) block = undefined
    before = line
  }
  return blocks
}

/** The anchor that GitHub and mdBook give a heading. */
const anchor = (heading) => heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '').trim().toLowerCase()
  .replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')

/** The anchors of a page. The second of two equal headings ends in -1. */
export function anchors(text) {
  const seen = new Map()
  const found = new Set()
  for (const [, heading] of prose(text).matchAll(/^#+ (.*)$/gm)) {
    const name = anchor(heading)
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    found.add(times ? `${name}-${times}` : name)
  }
  for (const [, name] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(name)
  return found
}

/** The links of a page, without those in code. */
export function links(text) {
  const plain = prose(text).replace(/`[^`\n]*`/g, 'code')
  return [...plain.matchAll(/\]\(([^()\s]+)\)/g), ...plain.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, target]) => target)
}
