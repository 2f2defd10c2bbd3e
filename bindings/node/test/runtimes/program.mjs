// The requirements for each runtime; the argument selects one. Prints "ok" and ends as the act
// says.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Event, Lock, Pool, Process, Queue, pipe, waitAny } from '../../index.mjs';

const acts = {
  import() {},

  async queue() {
    const queue = Queue.create({ format: 'msgpack', joinable: true });
    await queue.put({ a: [1, 'x'] });
    assert.deepEqual(await queue.get(), { a: [1, 'x'] });
    const waiting = queue.take();
    setTimeout(() => queue.tryPut('late'), 20);
    const message = await waiting;
    assert.equal(message.value, 'late');
    message.done();
    queue.taskDone();
    await queue.join();
    await assert.rejects(queue.get({ timeout: 5 }), { code: 'E_EMPTY' });
    queue.close();
  },

  async long() {
    const queue = Queue.create();
    for (let i = 0; i < 50; i++) {
      const slot = queue.tryReserve(100_000);
      slot.data.fill(i);
      slot.commit();
      const message = queue.tryTake();
      const { data } = message;
      assert.equal(data[99_999], i);
      message.done();
      assert.equal(data.length, 0);
      assert.throws(() => message.data, { code: 'E_INVALID' });
    }
    queue.close();
  },

  async pipe() {
    const [one, other] = pipe({ format: 'msgpack' });
    for (let i = 0; i < 20; i++) {
      const received = other.recv();
      setTimeout(() => one.trySend(i), 1);
      assert.equal(await received, i);
    }
    const ready = waitAny([other]);
    one.close();
    assert.deepEqual(await ready, [other]);
    await assert.rejects(other.recv(), { code: 'E_EOF' });
    other.close();
  },

  async locks() {
    const lock = Lock.create();
    const event = Event.create();
    await lock.hold(async () => {
      const second = lock.acquire();
      setTimeout(() => event.set(), 5);
      await event.wait();
      lock.release();
      await second;
    });
  },

  async process() {
    const child = Process.spawn({ argv: ['/bin/sh', '-c', 'sleep 0.05; exit 7'] });
    assert.equal(await child.join(), 7);
  },

  async pool() {
    const worker = new URL('../workers/calculator.js', import.meta.url);
    const pool = Pool.create({ worker, workers: 2 });
    assert.equal(await pool.apply('square', 7), 49);
    assert.deepEqual(await pool.map('square', [1, 2, 3]), [1, 4, 9]);
    await assert.rejects(pool.apply('fails', 'on purpose'), { message: 'failed: on purpose' });
    await assert.rejects(pool.apply('dies'), { code: 'E_WORKER_DIED' });
    pool.close();
    await pool.join();
    pool.free();
  },

  async exit() {
    const queue = Queue.create();
    queue.get();
    pipe()[0].recv();
    Event.create().wait();
    await sleep(20);
    console.log('ok');
    process.exit(3);
  },

  async cloned() {
    assert.throws(() => structuredClone(Queue.create()), { name: 'DataCloneError' });
  },
};

await acts[process.argv[2]]();
console.log('ok');
