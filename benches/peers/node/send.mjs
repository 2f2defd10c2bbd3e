// Node's own process.send, to a child process. Modes: json (a string), advanced (a Buffer,
// structured clone).
//
// At most `capacity` messages are on their way: send's callback says when one has been handed to
// the kernel.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { check, nowMs, parse, percentiles, stamp } from './common.mjs';

const run = parse(process.argv.slice(2));
const pack = run.mode === 'advanced' ? Buffer.from : message => message.toString('latin1');
const unpack = run.mode === 'advanced' ? message => Buffer.from(message) : text => Buffer.from(text, 'latin1');

// In the child: counts the messages, and reports the count when asked.
function receive() {
  let got = 0;
  process.on('message', message => {
    if (message === 'count') {
      process.send(got);
    } else {
      check(unpack(message), run.size, ++got);
    }
  });
}

function child(workload) {
  const serialization = run.mode === 'advanced' ? 'advanced' : 'json';
  return fork(fileURLToPath(import.meta.url), [workload, `mode=${run.mode}`, `size=${run.size}`], { serialization });
}

async function stream() {
  const consumer = child('receive');
  const message = Buffer.alloc(run.size);
  let sent = 0, waiting = 0, wake;

  async function count() {
    consumer.send('count');
    const [got] = await once(consumer, 'message');
    return { got, at: nowMs() };
  }
  async function produce(ms) {
    for (const end = nowMs() + ms; nowMs() < end;) {
      for (let i = 0; i < 64; i++) {
        stamp(message, ++sent);
        waiting++;
        consumer.send(pack(message), () => {
          waiting--;
          wake?.();
        });
      }
      while (waiting > run.capacity) await new Promise(resolve => { wake = resolve; });
    }
  }

  await produce(run.warm);
  const before = await count();
  await produce(run.ms);
  const after = await count();
  consumer.kill();
  if (after.got !== sent) throw new Error(`sent ${sent}, received ${after.got}`);
  return { rate: (after.got - before.got) / (after.at - before.at) * 1000, messages: sent };
}

function answer() {
  process.on('message', message => process.send(message));
}

async function pingPong() {
  const other = child('answer');
  const message = Buffer.alloc(run.size), times = [];
  // The first message comes when the other process has started: count from there.
  for (let tag = 1, began = Infinity; times.length === 0 || nowMs() < began + run.warm + run.ms; tag++) {
    stamp(message, tag);
    const start = process.hrtime.bigint();
    other.send(pack(message));
    const [reply] = await once(other, 'message');
    const took = Number(process.hrtime.bigint() - start);
    check(unpack(reply), run.size, tag);
    if (tag === 1) began = nowMs();
    if (nowMs() > began + run.warm) times.push(took);
  }
  other.kill();
  return percentiles(times);
}

const workloads = { stream, pingpong: pingPong, receive, answer };
const figures = await workloads[run.workload]();
if (figures) console.log(JSON.stringify({ peer: 'node', mode: run.mode, ...figures }));
