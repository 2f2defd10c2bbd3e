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

// How each mode sends its next messages, and receives some. Each has a loop of its own: an async
// function for each message would cost as much as the call that is measured.
const senders = {
  async copy(queue, [message], send) {
    for (;;) {
      stamp(message, send.count + 1);
      await queue.put(message);
      send.count++;
    }
  },
  async try(queue, [message], send) {
    for (;;) {
      stamp(message, send.count + 1);
      if (!queue.tryPut(message)) await queue.put(message);
      send.count++;
    }
  },
  async many(queue, messages, send) {
    for (;;) {
      messages.forEach((each, i) => stamp(each, send.count + i + 1));
      send.count += await queue.putMany(messages);
    }
  },
};
const receivers = {
  async copy(queue, receive, rounds) {
    for (let i = 0; i < rounds; i++) check(await queue.get(), run.size, ++receive.count);
  },
  async try(queue, receive, rounds) {
    for (let i = 0; i < rounds; i++) check(queue.tryGet() ?? (await queue.get()), run.size, ++receive.count);
  },
  async many(queue, receive, rounds) {
    for (let i = 0; i < rounds; i++) {
      for (const message of await queue.getMany(BATCH)) check(message, run.size, ++receive.count);
    }
  },
};

async function untilShutdown(work) {
  try {
    await work();
  } catch (error) {
    if (!isShutdown(error)) throw error;
  }
}

// Puts until the queue is shut down, then tells how many it has put.
async function produce() {
  const queue = Queue.inherited('back');
  const messages = Array.from({ length: BATCH }, () => Buffer.alloc(run.size));
  const sent = { count: 0 };
  await untilShutdown(() => senders[run.mode](queue, messages, sent));
  await Queue.inherited('there').put(Buffer.from(`${sent.count}`));
}

async function stream() {
  const { back: queue, there, child } = start('produce');
  const received = { count: 0 };
  const next = rounds => receivers[run.mode](queue, received, rounds);
  // Reads the clock once in 64 rounds.
  async function receive(ms) {
    for (const end = nowMs() + ms; nowMs() < end;) await next(64);
  }

  await next(1);
  await receive(run.warm);
  const before = received.count, began = nowMs();
  await receive(run.ms);
  const rate = (received.count - before) / (nowMs() - began) * 1000;
  queue.shutdown();
  await untilShutdown(() => next(Infinity));
  const sent = Number(await there.get());
  await child.join();
  if (sent !== received.count) throw new Error(`sent ${sent}, received ${received.count}`);
  return { rate, messages: received.count };
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
