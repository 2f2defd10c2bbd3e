// Clicks and reads the page of `polyproc page` in Chromium. `make test-page` runs it, with a
// /dev/shm of its own.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import puppeteer from 'puppeteer-core'

const { POLYPROC, CHROMIUM, PICTURES } = process.env
const processes = []
const complaints = []
let browser
let page

function polyproc (...args) {
  const result = spawnSync(POLYPROC, args, { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
}

function start (...args) {
  const child = spawn(POLYPROC, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  processes.push(child)
  return child
}

/** Waits until a function of the page returns true. */
const until = (what, ...args) => page.waitForFunction(what, { timeout: 60_000 }, ...args)

/** The texts of the cells of a row. */
function cells (name) {
  return page.evaluate((name) => {
    const button = document.querySelector(`button[data-name="${name}"]`)
    return Array.from(button.closest('tr').cells, (cell) => cell.textContent)
  }, name)
}

const shows = (text) => until((text) => document.body.innerText.includes(text), text)
const details = () => page.$$eval('tr.detail', (rows) => rows.map((row) => row.innerText))

before(async () => {
  polyproc('put', 'jobs', '--create', '--joinable', 'one', 'two', 'three')
  const worker = start('take', 'jobs', '--', 'sleep', '1000')
  const holder = start('lock', 'guard', '--', 'sleep', '1000')
  Object.assign(processes, { worker, holder })
  const server = start('page', '--listen', '127.0.0.1:0')
  const lines = createInterface({ input: server.stderr })
  const address = await new Promise((resolve) => lines.once('line', resolve))
  browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu']
  })
  page = await browser.newPage()
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('requestfailed', (request) => complaints.push(request.url()))
  await page.setViewport({ width: 1200, height: 500 })
  await page.goto(address)
  await until(() => document.querySelector('button[data-name="guard"]'))
})

after(async () => {
  await browser?.close()
  for (const child of processes) child.kill('SIGKILL')
})

test('the numbers of a queue, as they change', async () => {
  await until(() => {
    const row = document.querySelector('button[data-name="jobs"]')?.closest('tr')
    return row?.cells[2].textContent === '1'
  })
  assert.deepEqual((await cells('jobs')).slice(0, 3), ['jobs', '2', '1'])
  polyproc('put', 'jobs', 'four')
  await until(() => {
    const row = document.querySelector('button[data-name="jobs"]')?.closest('tr')
    return row?.cells[1].textContent === '3'
  })
})

test('who holds the lock', async () => {
  const row = (await cells('guard')).join(' ')
  assert.match(row, new RegExp(`held ${processes.holder.pid} .*lock guard`))
})

test('a click shows the processes of an object, another one hides them', async () => {
  await page.click('button[data-name="jobs"]')
  assert.match((await details()).join(), new RegExp(`${processes.worker.pid} .*take jobs`))
  // It stays open, and the button keeps the focus, when the rows are drawn anew.
  const first = await page.$('tr.detail')
  await page.waitForFunction((row) => !row.isConnected, {}, first)
  assert.equal((await details()).length, 1)
  assert.equal(await page.evaluate(() => document.activeElement.dataset.name), 'jobs')
  await page.click('button[data-name="jobs"]')
  assert.equal((await details()).length, 0)
})

test('the keyboard alone is enough', async () => {
  await page.focus('#filter')
  await page.keyboard.type('GUA')
  assert.equal(await page.$('button[data-name="jobs"]'), null)
  for (let presses = 0; presses < 5; presses++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(() => document.activeElement.dataset.name === 'guard')) break
  }
  await page.keyboard.press('Enter')
  assert.match((await details()).join(), /lock guard/)
  await page.keyboard.press('Enter')
  await page.focus('#filter')
  for (const _ of 'GUA') await page.keyboard.press('Backspace')
  await until(() => document.querySelector('button[data-name="jobs"]'))
})

test('a screen reader finds names, states and what a chart shows', async () => {
  const tree = JSON.stringify(await page.accessibility.snapshot({ interestingOnly: false }))
  for (const part of ['Queues', 'Locks and others', 'Filter', 'Waiting and in flight: now 3 and 1']) {
    assert.ok(tree.includes(part), `${part}: ${tree}`)
  }
  const expanded = await page.$eval('button[data-name="jobs"]', (button) => button.ariaExpanded)
  assert.equal(expanded, 'false')
})

test('light and dark, and narrow', async () => {
  mkdirSync(PICTURES, { recursive: true })
  const seen = new Set()
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    seen.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor))
    await page.screenshot({ path: `${PICTURES}/page-${scheme}.png` })
  }
  assert.equal(seen.size, 2)
  await page.setViewport({ width: 400, height: 800 })
  const [inner, whole] = await page.evaluate(() => [innerWidth, document.body.scrollWidth])
  assert.ok(whole <= inner, `the page is ${whole} wide in a window of ${inner}`)
  await page.screenshot({ path: `${PICTURES}/page-narrow.png` })
})

test('it says so when polyproc has ended', async () => {
  assert.deepEqual(complaints, [])
  processes.at(-1).kill('SIGKILL')
  await shows('has polyproc page ended?')
})
