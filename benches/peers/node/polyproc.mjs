// polyproc from Node, between processes: the harness's streams, ping-pong and
// pairs, and its line of JSON.
//
// Modes: copy (await put, await get), try (tryPut and tryGet, awaiting only when that fails), many
// (putMany and getMany of 32).
//
// This process gets what a process of the same program puts. It ends that by shutting the queue
// down, takes what is left, and compares the counts.

import { fileURLToPath } from 'node:url';
import { Process, Queue } from '../../../bindings/node/index.mjs';
import { check, nowMs, parse, percentiles, stamp } from './common.mjs';

const BATCH = 32;
const run = parse(process.argv.slice(2));

const isShutdown = error => error.code === 'E_SHUTDOWN';

// Runs this program again for another workload: it inherits a queue each way, and dies with this
// process.
function start(workload) {
  const queues = { there: Queue.create({ maxItems: run.capacity }), back: Queue.create({ maxItems: run.capacity }) };
  const program = [process.execPath, fileURLToPath(import.meta.url)];
  const argv = [...program, workload, `mode=${run.mode}`, `size=${run.size}`];
  return { ...queues, child: Process.spawn({ argv, handles: queues, daemon: true }) };
}

// Puts until the queue is shut down, then prints how many it has put.
async function produce() {
  const queue = Queue.inherited('back');
  const messages = Array.from({ length: BATCH }, () => Buffer.alloc(run.size));
  const message = messages[0];
  let sent = 0;
  try {
    for (;;) {
      if (run.mode === 'many') {
        messages.forEach((each, i) => stamp(each, sent + i + 1));
        sent += await queue.putMany(messages);
      } else {
        stamp(message, sent + 1);
        if (run.mode !== 'try' || !queue.tryPut(message)) await queue.put(message);
        sent++;
      }
    }
  } catch (error) {
    if (!isShutdown(error)) throw error;
  }
  await Queue.inherited('there').put(Buffer.from(`${sent}`));
}

async function stream() {
  const { back: queue, there, child } = start('produce');
  let got = 0;

  async function next() {
    if (run.mode === 'many') {
      for (const message of await queue.getMany(BATCH)) check(message, run.size, ++got);
    } else {
      const message = (run.mode === 'try' ? queue.tryGet() : undefined) ?? await queue.get();
      check(message, run.size, ++got);
    }
  }
  // Reads the clock once in 64 rounds.
  async function receive(ms) {
    for (const end = nowMs() + ms; nowMs() < end;) {
      for (let i = 0; i < 64; i++) await next();
    }
  }

  await next();
  await receive(run.warm);
  const before = got, began = nowMs();
  await receive(run.ms);
  const rate = (got - before) / (nowMs() - began) * 1000;
  queue.shutdown();
  try {
    for (;;) await next();
  } catch (error) {
    if (!isShutdown(error)) throw error;
  }
  const said = Number(await there.get());
  await child.join();
  if (said !== got) throw new Error(`sent ${said}, received ${got}`);
  return { rate, messages: got };
}

async function answer() {
  const back = Queue.inherited('back');
  for await (const message of Queue.inherited('there')) await back.put(message);
}

async function pingPong() {
  const { there, back, child } = start('answer');
  const message = Buffer.alloc(run.size), times = [];
  // The first message comes when the other process has started: count from there.
  for (let tag = 1, began = Infinity; times.length === 0 || nowMs() < began + run.warm + run.ms; tag++) {
    stamp(message, tag);
    const start = process.hrtime.bigint();
    await there.put(message);
    const reply = await back.get();
    const took = Number(process.hrtime.bigint() - start);
    check(reply, run.size, tag);
    if (tag === 1) began = nowMs();
    if (nowMs() > began + run.warm) times.push(took);
  }
  there.shutdown();
  await child.join();
  return percentiles(times);
}

// Puts a message and gets it again, in this process: with tryPut and tryGet, or with two awaits.
async function pair() {
  const queue = Queue.create({ maxItems: run.capacity });
  const message = Buffer.alloc(run.size);
  let got = 0;

  // Reads the clock once in 64 rounds.
  async function repeat(ms) {
    for (const end = nowMs() + ms; nowMs() < end;) {
      for (let i = 0; i < 64; i++) {
        stamp(message, ++got);
        if (run.mode === 'try') {
          queue.tryPut(message);
          check(queue.tryGet(), run.size, got);
        } else {
          await queue.put(message);
          check(await queue.get(), run.size, got);
        }
      }
    }
  }
  await repeat(run.warm);
  const before = got, began = nowMs();
  await repeat(run.ms);
  const ns = (nowMs() - began) * 1e6 / (got - before);
  queue.close();
  return { ns };
}

const workloads = { stream, pingpong: pingPong, pair, produce, answer };
const figures = await workloads[run.workload]();
if (figures) console.log(JSON.stringify({ peer: 'polyproc-node', mode: run.mode, ...figures }));
