// The rules of contract.md for each program's output. A check gets the output of run.mjs. It checks
// the order of lines, and never how long something took, except that it took long enough.
import assert from 'node:assert/strict'
import { inOrder, Lines } from './lines.mjs'

/** These lines and no others. */
const exactly = (...expected) => ({ lines }) => assert.deepEqual(lines, expected)

/** A timer may be early by its own rounding. */
const notBefore = (seconds, arrival) => assert.ok(arrival > seconds * 0.98, `after ${arrival} s, not ${seconds} s`)

const QUEUE_BASICS = exactly('full: no', 'empty: yes', 'put 1', 'empty: no', 'put 2', 'put 3', 'full: yes',
  'put 4, waiting 2 s: full', 'put 4 at once: full', 'length: 3', 'got 1', 'got 2', 'got 3',
  'get, waiting 2 s: empty', 'get at once: empty', 'empty: yes')

const EVENT_BASICS = exactly('is_set: false', 'look here!', 'child sets the event', 'give me!!', 'is_set: true')

const DAEMON = exactly('daemon may not have children: E_DAEMONIC', 'daemon sleeps for 3 s', 'main ends')

/** One producer, one consumer, ten buns in order. Returns where their last ones are. */
function tenBuns(lines) {
  const puts = lines.each(10, /^producer puts 包子 (\d+)$/)
  const gets = lines.each(10, /^consumer gets 包子 (\d+)$/)
  inOrder(...puts)
  inOrder(...gets)
  puts.forEach((at, bun) => inOrder(at, gets[bun]))
  return { lastPut: puts[9], lastGet: gets[9] }
}

function sentinelChild(output) {
  const lines = new Lines(output.lines)
  const { lastPut, lastGet } = tenBuns(lines)
  const put = lines.one('producer puts the end mark')
  const got = lines.one('consumer gets the end mark')
  const exits = [lines.one('producer exited with 0'), lines.one('consumer exited with 0')]
  inOrder(lastPut, put, got, ...exits)
  inOrder(lastGet, got)
  lines.nothingElse()
}

function sentinelMain(output) {
  const lines = new Lines(output.lines)
  const { lastPut, lastGet } = tenBuns(lines)
  const exited = lines.one('producer exited with 0')
  const put = lines.one('main puts the end mark')
  const got = lines.one('consumer gets the end mark')
  inOrder(lastPut, exited, put, got, lines.one('consumer exited with 0'))
  inOrder(lastGet, got)
  lines.nothingElse()
}

/**
 * Each producer's bun is eaten once, by one of two consumers. Returns where, by producer and bun.
 */
function eaten(lines, producers, buns) {
  const gets = lines.all(/^consumer ([01]) gets 包子 (\d+)\.(\d+)$/)
  const places = Array.from({ length: producers }, () => Array(buns).fill(undefined))
  const last = {}
  for (const { at, numbers: [consumer, producer, bun] } of gets) {
    assert.ok(producer < producers && bun < buns, `there is no bun ${producer}.${bun}`)
    assert.equal(places[producer][bun], undefined, `bun ${producer}.${bun} was eaten twice`)
    places[producer][bun] = at
    const pair = `consumer ${consumer}, producer ${producer}`
    assert.ok(!(last[pair] >= bun), `${pair}: bun ${bun} after bun ${last[pair]}`)
    last[pair] = bun
  }
  assert.equal(gets.length, producers * buns, 'as many were eaten as were put')
  return places
}

/**
 * One half of many_to_many. `end` says how main ends it, `times` how often, `seen` what a consumer
 * sees of it.
 */
function manyToManyHalf(output, title, end, times, seen) {
  const lines = new Lines(output)
  assert.equal(lines.one(title), 0)
  const gets = eaten(lines, 3, 4)
  const ends = lines.all(end).map(({ at }) => at)
  assert.equal(ends.length, times)
  for (let producer = 0; producer < 3; producer++) {
    const puts = lines.each(4, new RegExp(`^producer ${producer} puts 包子 ${producer}\\.(\\d+)$`))
    inOrder(...puts, ends[0])
    puts.forEach((at, bun) => inOrder(at, gets[producer][bun]))
  }
  const leaves = lines.each(2, seen)
  leaves.forEach((at, consumer) => {
    inOrder(ends[0], at)
    const own = output.findLastIndex((line) => line.startsWith(`consumer ${consumer} gets 包子`))
    inOrder(own, at)
  })
  assert.equal(lines.one('all exited with 0'), output.length - 1)
  inOrder(...ends, output.length - 1)
  lines.nothingElse()
}

function manyToMany({ lines }) {
  const second = lines.indexOf('with shutdown')
  assert.ok(second > 0, '"with shutdown" is there')
  manyToManyHalf(lines.slice(0, second), 'with an end mark for each consumer', /^main puts an end mark$/, 2,
    /^consumer (\d) gets an end mark$/)
  manyToManyHalf(lines.slice(second), 'with shutdown', /^main shuts the queue down$/, 1, /^consumer (\d) sees the shutdown$/)
}

function joinable(output) {
  const lines = new Lines(output.lines)
  const gets = eaten(lines, 3, 10)
  const finished = lines.each(3, /^producer (\d): 生产结束$/)
  const joined = lines.each(3, /^producer (\d): 生产结束~~~~~~$/)
  for (let producer = 0; producer < 3; producer++) {
    inOrder(finished[producer], joined[producer])
    inOrder(Math.max(...gets[producer]), joined[producer])
  }
  assert.equal(lines.one('main ends'), output.lines.length - 1)
  lines.nothingElse()
}

/** Five processes, both lines of each; `paired` if no other line may come between the two. */
function runningAndDone(output, paired) {
  const lines = new Lines(output)
  const running = lines.each(5, /^process (\d) is running$/)
  const done = lines.each(5, /^process (\d) is done$/)
  lines.nothingElse()
  running.forEach((at, process) => {
    if (paired) assert.equal(done[process], at + 1, `process ${process} was interrupted`)
    else inOrder(at, done[process])
  })
}

function lockPrint({ lines }) {
  const second = lines.indexOf('with the lock')
  assert.equal(lines[0], 'without the lock')
  assert.ok(second > 0, '"with the lock" is there')
  runningAndDone(lines.slice(1, second), false)
  runningAndDone(lines.slice(second + 1), true)
}

function helloLock(output) {
  const lines = new Lines(output.lines)
  lines.each(100, /^hello from process (\d+)$/)
  lines.nothingElse()
}

function ktv(output) {
  const lines = new Lines(output.lines)
  const comes = lines.each(13, /^guest (\d+) comes in$/)
  const goes = lines.each(13, /^guest (\d+) goes out$/)
  comes.forEach((at, guest) => inOrder(at, goes[guest]))
  let inside = 0
  for (const line of output.lines) {
    inside += line.endsWith('comes in') ? 1 : line.endsWith('goes out') ? -1 : 0
    assert.ok(inside <= 4, `${inside} are inside`)
  }
  assert.equal(lines.one('4 rooms are free'), output.lines.length - 1)
  lines.nothingElse()
}

function trafficLight(output) {
  const lines = new Lines(output.lines)
  const light = lines.all(/^light: (?:green|red)$/).map(({ at }) => at)
  light.forEach((at, turn) => assert.equal(output.lines[at], turn % 2 === 0 ? 'light: green' : 'light: red'))

  const arrivals = lines.each(5, /^police car (\d+) arrives$/)
  const police = lines.each(5, /^police car (\d+) passes on red$/)
  police.forEach((at, car) => inOrder(arrivals[car], at, light[0]))

  const comes = lines.each(10, /^car (\d+) arrives$/)
  const goes = lines.each(10, /^car (\d+) passes$/)
  goes.forEach((at, car) => {
    inOrder(comes[car], at)
    const before = output.lines[light.findLast((turn) => turn < comes[car])]
    const meanwhile = output.lines.slice(comes[car], at)
    assert.ok(before === 'light: green' || meanwhile.includes('light: green'), `car ${car} passed on red`)
  })
  inOrder(Math.max(...goes), lines.one('all cars have passed'))
  lines.nothingElse()
}

function processBasics({ lines, pid, arrivals }) {
  const child = Number(lines[1]?.match(/^parent \d+ has started child (\d+)$/)?.[1])
  assert.notEqual(child, pid)
  exactly(`parent ${pid}`, `parent ${pid} has started child ${child}`, `child ${child} of parent ${pid}`,
    `child ${child} ends`, `child ${child} exited with 0`)({ lines })
  notBefore(1, arrivals[4])
}

function poolSquare({ lines, arrivals }) {
  assert.deepEqual(lines.slice(0, 6), ['one after the other', 'worker squares 2', 'main got 4', 'worker squares 3',
    'main got 9', 'both at once'])
  assert.deepEqual(lines.slice(6, 8).sort(), ['worker squares 2', 'worker squares 3'])
  assert.deepEqual(lines.slice(8), ['main got 4', 'main got 9'])
  notBefore(2, arrivals[4])
}

export const CHECKS = {
  queue_basics: (output) => {
    QUEUE_BASICS(output)
    notBefore(2, output.arrivals[7])
    notBefore(4, output.seconds)
  },
  one_to_one: exactly('producer puts 1', 'consumer gets 1', 'producer exited with 0', 'consumer exited with 0'),
  chat: exactly('main puts 小鬼', 'f puts 姑娘,多少钱~', 'f2 gets 小鬼', 'main gets 姑娘,多少钱~'),
  write_then_read: exactly('writer puts A', 'writer puts B', 'writer puts C', 'writer exited with 0',
    'reader gets A', 'reader gets B', 'reader gets C', 'reader exited with 0'),
  unread: exactly('producer put 10 messages', 'producer exited with 0', 'main ends, 10 messages are unread'),
  sentinel_child: sentinelChild,
  sentinel_main: sentinelMain,
  many_to_many: manyToMany,
  joinable,
  lock_print: lockPrint,
  hello_lock: helloLock,
  ktv,
  traffic_light: trafficLight,
  event_basics: (output) => {
    EVENT_BASICS(output)
    notBefore(1, output.arrivals[3])
  },
  daemon: (output) => {
    DAEMON(output)
    assert.ok(output.seconds < 3, `the daemon was still there after ${output.seconds} s`)
  },
  process_basics: processBasics,
  pipe_hello: exactly('child sends [42,null,"hello"]', 'parent gets [42,null,"hello"]',
    'parent finds the end of the file', 'child exited with 0'),
  pool_square: poolSquare,
  pool_queue: exactly(...[...'dongGe'].map((letter) => `writer puts ${letter}`),
    ...[...'dongGe'].map((letter) => `reader gets ${letter}`)),
}
