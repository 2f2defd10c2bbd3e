// Every link of the built book leads to a file that is there, and to an element of it: `make docs`.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { read, ROOT } from './pages.mjs'

const BOOK = path.join(ROOT, 'build/book')
const INSIDE = fs.readdirSync(BOOK, { recursive: true }).filter((file) => file.endsWith('.html') &&
  !/^(?:rust|source)\//.test(file))
const texts = new Map()
const text = (file) => {
  if (!texts.has(file)) texts.set(file, fs.readFileSync(file, 'utf8'))
  return texts.get(file)
}

/** The links of a page, without those that mdBook's own scripts make. */
const links = (page) => [...page.matchAll(/<(?:a|img|link|script)\b[^>]*?\b(?:href|src)="([^"]*)"/g)].map(([, link]) => link)

test('the book has its chapters', () => assert.ok(INSIDE.length > 30, INSIDE.join(' ')))

test('what concerns readers of the sources is not in the book', () => {
  assert.deepEqual(INSIDE.filter((page) => text(path.join(BOOK, page)).includes('In the sources:')), [])
})

test('each function of the C header has a heading, on one page', () => {
  const headings = INSIDE.flatMap((page) => [...text(path.join(BOOK, page)).matchAll(/<h2 id="(polyproc_\w+)"/g)].map(([, id]) => id))
  assert.deepEqual(headings.sort(), read('tests/c/symbols.txt').trim().split(/\s+/).sort())
})

for (const page of INSIDE) {
  test(`the links of ${page}`, () => {
    const wrong = links(text(path.join(BOOK, page))).filter((link) => {
      if (link === '' || /^(?:https?|mailto|data):/.test(link)) return false
      const [target, anchor] = link.replaceAll('&amp;', '&').split('#')
      const file = target ? path.join(BOOK, path.dirname(page), decodeURIComponent(target)) : path.join(BOOK, page)
      if (!fs.existsSync(file)) return true
      return anchor && file.endsWith('.html') && !text(file).includes(`id="${decodeURIComponent(anchor)}"`)
    })
    assert.deepEqual(wrong, [])
  })
}
