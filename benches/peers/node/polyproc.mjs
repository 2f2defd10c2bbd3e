// polyproc from Node, between processes: the harness's streams and ping-pong, and its line of JSON.
//
// Modes: copy (await put, await get), try (tryPut and tryGet, awaiting only when that fails), many (putMany and
// getMany of 32).
//
// This process gets what a process of the same program puts. It ends that by shutting the queue down, takes what is
// left, and compares the counts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Queue, unlink } from '../../../bindings/node/index.mjs';
import { check, nowMs, parse, percentiles, stamp } from './common.mjs';

const BATCH = 32;
const run = parse(process.argv.slice(2));
run.name ??= `polyproc-bench-${process.pid}`;

const isShutdown = error => error.code === 'E_SHUTDOWN';

function child(workload) {
  const args = [fileURLToPath(import.meta.url), workload, `mode=${run.mode}`, `name=${run.name}`, `size=${run.size}`];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function produce() {
  const queue = Queue.open(run.name);
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
  console.log(sent);
}

async function stream() {
  const queue = Queue.create({ name: run.name, maxItems: run.capacity });
  const producer = child('produce');
  let said = '';
  producer.stdout.on('data', data => { said += data; });
  let got = 0;

  async function next() {
    if (run.mode === 'many') {
      for (const message of await queue.getMany(BATCH)) check(message, run.size, ++got);
    } else {
      const message = (run.mode === 'try' ? queue.tryGet() : undefined) ?? await queue.get();
      check(message, run.size, ++got);
    }
  }
  // The clock is read once in 64 rounds.
  async function receive(ms) {
    for (const end = nowMs() + ms; nowMs() < end;) {
      for (let i = 0; i < 64; i++) await next();
    }
  }

  try {
    await next();
    await receive(run.warm);
    const before = got, start = nowMs();
    await receive(run.ms);
    const rate = (got - before) / (nowMs() - start) * 1000;
    queue.shutdown();
    const ended = once(producer, 'close');
    try {
      for (;;) await next();
    } catch (error) {
      if (!isShutdown(error)) throw error;
    }
    await ended;
    if (Number(said) !== got) throw new Error(`sent ${said}, received ${got}`);
    return { rate, messages: got };
  } finally {
    unlink(run.name);
  }
}

async function answer() {
  const there = Queue.open(`${run.name}.0`), back = Queue.open(`${run.name}.1`);
  for await (const message of there) await back.put(message);
}

async function pingPong() {
  const names = [`${run.name}.0`, `${run.name}.1`];
  const [there, back] = names.map(name => Queue.create({ name, maxItems: run.capacity }));
  const other = child('answer');
  const message = Buffer.alloc(run.size), times = [], began = nowMs();
  try {
    for (let tag = 1; nowMs() < began + run.warm + run.ms || times.length === 0; tag++) {
      stamp(message, tag);
      const start = process.hrtime.bigint();
      await there.put(message);
      const reply = await back.get();
      const took = Number(process.hrtime.bigint() - start);
      check(reply, run.size, tag);
      // The first comes when the other has started.
      if (tag > 1 && nowMs() > began + run.warm) times.push(took);
    }
    there.shutdown();
    await once(other, 'close');
    return percentiles(times);
  } finally {
    names.forEach(unlink);
  }
}

const workloads = { stream, pingpong: pingPong, produce, answer };
const figures = await workloads[run.workload]();
if (figures) console.log(JSON.stringify({ peer: 'polyproc-node', mode: run.mode, ...figures }));
