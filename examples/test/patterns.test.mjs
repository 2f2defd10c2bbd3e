// Runs the programs of examples/patterns, which the book shows, and kills some of them where the
// book says so. A victim gets LONG as the time that its work takes, so it is killed inside it.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clean, folder, LONG, Process, PYTHON, Queue, ROOT, run, start, startAgain } from './patterns.mjs'

beforeEach(clean)
afterEach(clean)

/** Waits until a program has made a queue, and opens it. */
async function opened(name) {
  for (;;) {
    try {
      return Queue.open(name)
    } catch (error) {
      if (error.code !== 'E_NOT_FOUND') throw error
      await sleep(10)
    }
  }
}

/** Starts workers of one pattern, each with the same argument. */
const startAll = (files, ...args) => files.map((file) => start(file, ...args))

for (const victim of ['c', 'cpp', 'go', 'js', 'py', 'rs']) {
  test(`a work queue: a worker in ${victim} is killed, one in another language does its job`, async () => {
    const put = start(`work_queue/put.${victim}`)
    const killed = start(`work_queue/worker.${victim}`, LONG)
    const [, job] = await killed.line(/^begins (.*)$/)
    await killed.kill()
    const other = start(`work_queue/worker.${victim === 'go' ? 'py' : 'go'}`, '0')
    await other.line(new RegExp(`^begins ${job}$`))
    assert.deepEqual(await put.end(), ['10 jobs are done, 1 of them were delivered again'])
    assert.equal((await other.end()).length, 20)
  })
}

test('a work queue in the shell: a worker is killed, one in Go does its job', async () => {
  const put = start('work_queue/put.sh')
  const queue = await opened('book.jobs')
  const killed = start('work_queue/worker.sh', LONG)
  const [, job] = await killed.line(/^begins (.*)$/)
  await killed.kill()
  const other = start('work_queue/worker.go', '0')
  await other.line(new RegExp(`^begins ${job}$`))
  assert.deepEqual(await put.end(), ['10 jobs are done'])
  await other.end()
  queue.close()
})

test('a work queue in the shell: its worker does what a killed one in Python had', async () => {
  const put = start('work_queue/put.py')
  const killed = start('work_queue/worker.py', LONG)
  const [, job] = await killed.line(/^begins (.*)$/)
  await killed.kill()
  const other = start('work_queue/worker.sh', '0')
  await other.line(new RegExp(`^begins ${job}$`))
  assert.deepEqual(await put.end(), ['10 jobs are done, 1 of them were delivered again'])
  await other.end()
})

test('progress: the figures while a worker holds a job, is killed, and another works', async () => {
  for (const watch of ['progress/watch.py', 'progress/watch.js']) {
    const put = start('work_queue/put.py')
    const killed = start('work_queue/worker.py', LONG)
    await killed.line(/^begins/)
    const watcher = start(watch)
    await watcher.line(/^0 done, 1 in flight, 9 waiting, 0 again$/)
    await killed.kill()
    const other = start('work_queue/worker.py', '0.1')
    await watcher.line(/^\d done, 1 in flight, \d waiting, 1 again$/)
    await watcher.line(/^10 done, 0 in flight, 0 waiting, 1 again$/)
    await Promise.all([put.end(), other.end(), watcher.end()])
  }
})

for (const [language, other] of [['py', 'go'], ['go', 'js'], ['js', 'py']]) {
  test(`fan in: a worker in ${language} is killed between its result and its done`, async () => {
    const collect = start('fan_in/collect.py')
    const killed = start(`fan_in/worker.${language}`, LONG)
    const [, number] = await killed.line(/^squared (\d+)$/)
    await killed.kill()
    const next = start(`fan_in/worker.${other}`, '0')
    assert.deepEqual(await collect.end(),
      [`the square of ${number} came twice`, 'the sum of 20 squares is 2870'])
    await next.end()
  })
}

for (const language of ['py', 'js']) {
  test(`back-pressure: a producer in ${language} that nobody reads, and then somebody does`, async () => {
    const producer = start(`back_pressure/producer.${language}`)
    await producer.line(/^no room for line 4: the consumers are slow, stopped or dead$/)
    await producer.line(/^no room for line 4/)
    const consumer = start('back_pressure/consumer.go')
    await producer.end()
    assert.deepEqual(await consumer.end(), Array.from({ length: 10 }, (_, i) => `read line ${i + 1}`))
  })
}

test('a limit at once: two are inside, the third waits until one of them is killed', async () => {
  for (const [language, other] of [['py', 'go'], ['go', 'sh'], ['sh', 'py']]) {
    const inside = startAll([`rate_limit/at_once.${language}`, `rate_limit/at_once.${other}`], LONG)
    for (const program of inside) await program.line(/^inside$/)
    const third = start(`rate_limit/at_once.${other}`, '0')
    await sleep(300)
    assert.deepEqual(third.lines, [])
    await inside[0].kill()
    assert.deepEqual(await third.end(), ['inside'])
    await inside[1].kill()
  }
})

test('a limit in time: callers wait for the clock, and another ticks when the clock is killed', async () => {
  const first = start('rate_limit/clock.py', '0.05')
  await first.line(/^ticks$/)
  const second = start('rate_limit/clock.py', '0.05')
  const begin = performance.now()
  const callers = startAll(['rate_limit/caller.js', 'rate_limit/caller.js'], '10')
  await callers[0].line(/^call 2$/)
  await first.kill()
  await second.line(/^ticks$/)
  for (const caller of callers) assert.equal((await caller.end()).length, 10)
  // 20 calls with a ticket for each 50 ms, of which the first 5 may have waited.
  assert.ok(performance.now() - begin > 15 * 50 - 50)
  await second.kill()
})

test('a leader in the shell is killed, and one in Python leads', async () => {
  const leader = start('leader/leader.sh', LONG)
  await leader.line(/^\d+ leads$/)
  const successor = start('leader/leader.py', '0')
  await leader.kill()
  assert.deepEqual(await successor.end(), [`${successor.child.pid} leads, the last leader died`])
  const next = start('leader/leader.sh', '0')
  await next.line(/^\d+ leads$/)
  await next.end()
})

for (const [first, next] of [['py', 'go'], ['go', 'js'], ['js', 'py']]) {
  test(`a leader in ${first} is killed, and one in ${next} leads`, async () => {
    const leader = start(`leader/leader.${first}`, LONG)
    await leader.line(/^\d+ leads$/)
    const successor = start(`leader/leader.${next}`, '0')
    await leader.kill()
    assert.deepEqual(await successor.end(), [`${successor.child.pid} leads, the last leader died`])
  })
}

for (const language of ['py', 'js']) {
  test(`poison: a message that kills each worker in ${language} becomes a dead letter`, async () => {
    const images = Queue.create({ name: 'book.images', joinable: true, maxDeliveries: 3 })
    for (const image of ['first', 'broken', 'second']) images.tryPut(Buffer.from(image))
    const lines = await startAgain(`poison/worker.${language}`).end()
    // The shell tells of each killed worker in its own words, on its standard error.
    assert.deepEqual(lines.filter((line) => line.startsWith('the worker died')).length, 3)
    assert.deepEqual(lines.filter((line) => line.startsWith('decoded')).sort(), ['decoded first', 'decoded second'])
    const dead = await start('poison/dead.py').end()
    assert.deepEqual(dead, ['broken: was delivered 3 times, and never done'])
    images.close()
  })
}

test('once: a payment of a killed consumer comes again and changes nothing', async (t) => {
  for (const language of ['py', 'js']) {
    const store = path.join(folder(t), 'paid')
    const pay = start('once/pay.py')
    const killed = start(`once/store.${language}`, store, LONG)
    const [, id] = await killed.line(/^(.*) is paid$/)
    await killed.kill()
    const other = start(`once/store.${language}`, store)
    assert.deepEqual(await pay.end(), ['all is paid'])
    const lines = await other.end()
    assert.deepEqual(lines.filter((line) => line.endsWith('before')), [`${id} was paid before`])
    assert.equal(lines.length, 5)
    if (language === 'js') {
      const paid = fs.readdirSync(store).filter((name) => !name.startsWith('.'))
      const amounts = paid.map((name) => Number(fs.readFileSync(path.join(store, name))))
      assert.equal(amounts.reduce((sum, amount) => sum + amount), 150)
    }
  }
})

for (const [language, other] of [['py', 'go'], ['go', 'js'], ['js', 'py']]) {
  test(`batches: the batch of a killed writer in ${language} goes to another`, async () => {
    const fill = start('batches/fill.py')
    const killed = start(`batches/writer.${language}`, LONG)
    const [, held] = await killed.line(/^writes (\d+)$/)
    await killed.kill()
    const next = start(`batches/writer.${other}`, '0')
    assert.deepEqual(await fill.end(), [`1000 rows are written, ${held} of them were delivered again`])
    assert.equal((await next.end()).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0), 1000)
  })
}

for (const [server, client, other] of [['py', 'js', 'go'], ['go', 'py', 'py']]) {
  test(`requests: a server in ${server} is killed, the client in ${client} gets its answers`, async () => {
    const killed = start(`request/server.${server}`, LONG)
    const asking = start(`request/client.${client}`)
    await killed.line(/^request 0$/)
    const requests = await opened('book.requests')
    const gone = start('request/client.py')
    while (requests.info().unfinished < 6) await sleep(10)
    gone.child.kill('SIGINT') // it removes the name of its replies
    await gone.closed
    await killed.kill()
    const answering = start(`request/server.${other}`, '0')
    assert.deepEqual(await asking.end(), ['who: WHO', 'what: WHAT', 'when: WHEN'])
    await requests.join()
    requests.shutdown()
    requests.close()
    const lines = await answering.end()
    assert.equal(lines.filter((line) => line === `book.replies.${gone.child.pid} is gone`).length, 3)
  })
}

test('the first page: two languages, and a Go worker that is killed', async () => {
  const put = start('first_page/put.py')
  const killed = start('first_page/work.go', LONG)
  await killed.line(/^page 1$/)
  // A worker in C, C++ or Rust names no format.
  Queue.create({ name: 'book.pages', openOrCreate: true, joinable: true }).close()
  await killed.kill()
  const other = start('first_page/work.go', '0')
  assert.deepEqual(await put.end(), ['done, of which again: 1'])
  assert.equal((await other.end()).length, 100)
})

test('the first page: the lines that start both programs', async () => {
  const lines = await run('sh', 'examples/patterns/first_page/start.sh').end()
  const pages = Array.from({ length: 100 }, (_, i) => `page ${i + 1}`)
  assert.deepEqual(lines.sort(), [...pages, 'done, of which again: 0'].sort())
})

test('five minutes: the commands of the two terminals', async () => {
  const first = run('sh', 'examples/patterns/work_queue/terminal-1.sh')
  const second = run('sh', 'examples/patterns/work_queue/terminal-2.sh')
  const [last] = (await first.end()).slice(-1)
  assert.match(last, /^10 jobs are done, [01] of them were delivered again$/)
  const done = (await second.end()).filter((line) => line.startsWith('ends'))
  assert.deepEqual(done.sort(), Array.from({ length: 10 }, (_, i) => `ends page ${i + 1}`).sort())
})

for (const language of ['c', 'go', 'js', 'py']) {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`a polite end: ${signal} ends the wait of a worker in ${language}`, async () => {
      const queue = Queue.create({ name: 'book.stop', openOrCreate: true, joinable: true })
      queue.tryPut(Buffer.from('a message'))
      const worker = start(`stop/worker.${language}`)
      await worker.line(/^works on a message$/)
      await queue.join()
      worker.child.kill(signal)
      assert.deepEqual(await worker.end(), ['works on a message', 'ends'])
      queue.close()
    })
  }
}

test('a queue for a group: the second program opens what the first has made', async () => {
  assert.deepEqual(await start('production/group.py').end(), ['1 waiting'])
  assert.deepEqual(await start('production/group.js').end(), ['2 waiting'])
  assert.equal(fs.statSync('/dev/shm/polyproc.book.reports').mode & 0o777, 0o660)
  assert.deepEqual(await start('production/group.py').end(), ['3 waiting'])
})

test('the messages of errors are those of the page', async () => {
  const page = fs.readFileSync(path.join(ROOT, 'docs/book/troubleshooting.md'), 'utf8')
  const messages = await start('wrong/messages.py').end()
  assert.equal(messages.length, 7)
  for (const message of messages) assert.ok(page.includes(`\n${message}\n`), message)
})

test('names that nobody uses are listed', async () => {
  Queue.create({ name: 'book.unused' }).close()
  for (const program of ['wrong/unused.py', 'wrong/unused.js']) {
    const lines = await start(program).end()
    assert.ok(lines.some((line) => /^book\.unused, a queue, \d+ bytes: nobody uses it$/.test(line)), lines.join('\n'))
  }
})

test('the quick start of the header, and the programs of the bindings', async (t) => {
  assert.deepEqual(await start('quick_start/quick_start.c').end(), ['hello'])
  assert.deepEqual(await start('readmes/readme.go').end(), ['[1 4 9]', 'works on a message'])
  const node = await start('readmes/readme.mjs').end()
  assert.deepEqual(node[0], "works on { path: '/usr/include/stdio.h', depth: 1 }")
  assert.deepEqual(node.slice(1, 3).sort(), ['result 101', 'result 102'])
  assert.deepEqual(node[3], '9 [ 1, 4, 9 ]')
  const queue = Queue.create({ format: 'msgpack' })
  queue.tryPut('work')
  const file = path.join(folder(t), 'output')
  const stdout = fs.openSync(file, 'w')
  const argv = [PYTHON, path.join(ROOT, 'examples/patterns/readmes/readme.py')]
  assert.equal(await Process.spawn({ argv, handles: { work: queue }, stdout }).join(), 0)
  assert.equal(fs.readFileSync(file, 'utf8'), "hello\n['hello', 88, b'World!'] 1\n0\nwork\n")
  const workers = path.join(ROOT, 'examples/patterns/readmes')
  assert.deepEqual(await run('sh', '-c', `cd ${workers} && exec ${PYTHON} workers.py`).end(), ['16'])
})
