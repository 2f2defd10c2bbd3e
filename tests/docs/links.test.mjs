// Every link of a page leads to a file that is there, and to a heading of it.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { anchors, links, pages, read, ROOT } from './pages.mjs'

const PAGE = /^\{\{#page (\S+)\}\}$/gm

/** A chapter of the book with the pages that it takes in. */
function whole(file) {
  return read(file).replace(PAGE, (_, page) => read(path.join(path.dirname(file), page)))
}

for (const page of pages) {
  test(`the links of ${page}`, () => {
    const wrong = links(read(page)).filter((target) => {
      if (/^(?:https?|mailto):/.test(target)) return false
      if (target.startsWith('rust/')) return false // `make docs` writes it: see built.test.mjs
      const [file, heading] = target.split('#')
      const found = file ? path.join(path.dirname(page), file) : page
      if (!fs.existsSync(path.join(ROOT, found))) return true
      return heading !== undefined && !anchors(whole(found)).has(heading)
    })
    assert.deepEqual(wrong, [])
  })
}

test('a page that is filled from another file leads to it, also in the sources', () => {
  const filled = pages.filter((page) => page.startsWith('docs/book/') && /^\{\{#(?:page|c|cpp) /m.test(read(page)))
  assert.ok(filled.length > 15, filled.join(' '))
  for (const page of filled) {
    const [, note] = read(page).match(/^> In the sources: ((?:.+\n)+)\n/m) ?? assert.fail(`${page} does not say where its text is`)
    const [, taken] = read(page).match(/^\{\{#page (\S+)\}\}$/m) ?? []
    if (taken) assert.deepEqual(links(note), [taken])
    else assert.ok(links(note).some((target) => /polyproc(?:\.h)?$/.test(target)), note)
  }
})

test('every chapter is in the book, and every page of the book is a chapter', () => {
  const folder = 'docs/book/'
  const summary = read(`${folder}SUMMARY.md`)
  const chapters = new Set(links(summary).map((target) => folder + target))
  const inBook = pages.filter((page) => page.startsWith(folder) && page !== `${folder}SUMMARY.md`)
  assert.deepEqual(inBook.filter((page) => !chapters.has(page)), [])
  for (const page of inBook) {
    for (const [, taken] of read(page).matchAll(PAGE)) {
      assert.ok(fs.existsSync(path.join(ROOT, path.dirname(page), taken)), `${page} takes ${taken}`)
    }
  }
})
