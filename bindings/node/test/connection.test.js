'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { Connection, Process, pipe } = require('..');
const { leavesNothingBehind, sleep, twin, until, withCode } = require('./helpers.js');

leavesNothingBehind();

const LONG = 2 ** 20 - 7; // one byte more than goes into a pipe at once

function ends(t, options) {
  const both = pipe(options);
  t.after(() => both.forEach((end) => end.close()));
  return both;
}

/** Bytes that differ at every position. */
function pattern(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8)) & 255;
  return bytes;
}

test('messages are whole, both ways, of any length', async (t) => {
  const [a, b] = ends(t);
  for (const length of [0, 1, 8, 4096, 20_000, 70_000, LONG - 1]) {
    const message = pattern(length);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      assert.equal(from.trySend(message), true);
      assert.equal(to.tryPoll(), true);
      assert.ok(to.tryRecv().equals(message), `${length} bytes`);
      await from.send(message);
      assert.ok((await to.recv()).equals(message), `${length} bytes`);
    }
  }
  assert.equal(a.tryRecv(), undefined);
  assert.equal(a.tryPoll(), false);
});

test('values', async (t) => {
  const [a, b] = ends(t, { format: 'msgpack' });
  assert.equal(a.format, 'msgpack');
  const value = ['hello', 88, null, Buffer.from('World!'), { big: 2n ** 60n }];
  await a.send(value);
  assert.deepEqual(await b.recv(), value);
});

test('one way only', async (t) => {
  const [reader, writer] = ends(t, { duplex: false });
  await writer.send(Buffer.from('x'));
  assert.equal(String(await reader.recv()), 'x');
  assert.throws(() => reader.trySend(Buffer.from('x')), withCode('E_UNSUPPORTED'));
  await assert.rejects(reader.send(Buffer.from('x')), withCode('E_UNSUPPORTED'));
  assert.throws(() => writer.tryRecv(), withCode('E_UNSUPPORTED'));
  await assert.rejects(writer.recv(), withCode('E_UNSUPPORTED'));
  await assert.rejects(writer.poll(), withCode('E_UNSUPPORTED'));
});

test('a receive waits; times out; is aborted; is closed', async (t) => {
  const [a, b] = ends(t);
  let settled = false;
  const recv = b.recv().then((bytes) => {
    settled = true;
    return bytes;
  });
  await sleep(20);
  assert.equal(settled, false);
  a.trySend(Buffer.from('late'));
  assert.equal(String(await recv), 'late');
  await assert.rejects(b.recv({ timeout: 0 }), withCode('E_TIMEOUT'));
  await assert.rejects(b.recv({ timeout: 20 }), withCode('E_TIMEOUT'));
  await assert.rejects(b.recv({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  const waits = Promise.allSettled([b.recv(), b.recv(), b.poll()]);
  await sleep(5);
  b.close();
  for (const { reason } of await waits) withCode('E_CLOSED')(reason);
  assert.throws(() => b.tryRecv(), withCode('E_CLOSED'));
  assert.throws(() => b.trySend(Buffer.alloc(1)), withCode('E_CLOSED'));
  assert.throws(() => b.tryPoll(), withCode('E_CLOSED'));
});

test('a send waits while the pipe is full', async (t) => {
  const [a, b] = ends(t);
  const message = pattern(100_000);
  let sent = 0;
  while (a.trySend(message)) sent++;
  assert.ok(sent > 5);
  await assert.rejects(a.send(message, { timeout: 20 }), withCode('E_TIMEOUT'));
  const send = a.send(Buffer.concat([message, Buffer.from('!')]));
  await sleep(5);
  for (let i = 0; i < sent; i++) assert.ok((await b.recv()).equals(message));
  assert.equal((await b.recv()).length, message.length + 1);
  await send;
});

test('many receives are answered in their order', async (t) => {
  const [a, b] = ends(t);
  const recvs = Array.from({ length: 100 }, () => b.recv());
  for (let i = 0; i < 100; i++) await a.send(Buffer.from(`${i}`));
  assert.deepEqual((await Promise.all(recvs)).map(String), Array.from({ length: 100 }, (_, i) => `${i}`));
});

test('poll waits until there is something, the end of file too', async (t) => {
  const [a, b] = ends(t);
  assert.equal(await b.poll({ timeout: 0 }), false);
  assert.equal(await b.poll({ timeout: 20 }), false);
  await assert.rejects(b.poll({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
  const polls = [b.poll(), b.poll()];
  await sleep(5);
  a.trySend(Buffer.from('x'));
  assert.deepEqual(await Promise.all(polls), [true, true]);
  assert.equal(await b.poll(), true, 'nothing was received');
  assert.equal(String(b.tryRecv()), 'x');
  const atEnd = b.poll();
  await sleep(5);
  a.close();
  assert.equal(await atEnd, true);
});

test('after the other end is closed: what was sent, then the end of file', async (t) => {
  const [a, b] = ends(t);
  await a.send(Buffer.from('1'));
  await a.send(Buffer.from('2'));
  a.close();
  assert.equal(String(await b.recv()), '1');
  assert.equal(String(b.tryRecv()), '2');
  assert.throws(() => b.tryRecv(), withCode('E_EOF'));
  await assert.rejects(b.recv(), withCode('E_EOF'));
  await assert.rejects(b.send(Buffer.alloc(1)), withCode('E_BROKEN_PIPE'));
  const [c, d] = ends(t);
  const recv = d.recv();
  await sleep(5);
  c.close();
  await assert.rejects(recv, withCode('E_EOF'));
});

test('for await runs to the end of file', async (t) => {
  const [reader, writer] = ends(t, { duplex: false, format: 'msgpack' });
  const got = [];
  const reading = (async () => {
    for await (const value of reader) got.push(value);
  })();
  for (let i = 0; i < 200; i++) await writer.send(i);
  writer.close();
  await reading;
  assert.deepEqual(got, Array.from({ length: 200 }, (_, i) => i));
});

test('long messages are handed over, in their order among the short ones', async (t) => {
  const [a, b] = ends(t);
  const long = pattern(5 * LONG);
  const sends = [a.send(Buffer.from('before')), a.send(long), a.send(Buffer.from('between')), a.send(pattern(LONG))];
  const recvs = [b.recv(), b.recv(), b.recv(), b.recv()];
  const polled = b.poll();
  const [before, first, between, second] = await Promise.all(recvs);
  await Promise.all(sends);
  assert.equal(await polled, true);
  assert.equal(String(before), 'before');
  assert.ok(first.equals(long));
  assert.equal(String(between), 'between');
  assert.ok(second.equals(pattern(LONG)));
  assert.equal(a.trySend(long), false);
  await assert.rejects(a.send(long, { timeout: 30 }), withCode('E_TIMEOUT'));
  assert.equal(b.tryRecv(), undefined);
});

test('a long message that is being received holds up nobody but those behind it', async (t) => {
  const [a, b] = ends(t);
  const long = pattern(3 * LONG);
  const send = a.send(long);
  await until(() => b.tryPoll(), 'it is offered');
  const recv = b.recv();
  const behind = b.recv({ timeout: 30 });
  await assert.rejects(behind, withCode('E_TIMEOUT'));
  assert.ok((await recv).equals(long));
  await send;
});

test('a descriptor of an end', async (t) => {
  const [a, b] = ends(t);
  const other = twin(t, b);
  await a.send(Buffer.from('x'));
  assert.equal(String(await other.recv()), 'x');
  b.close();
  await a.send(Buffer.from('y'));
  assert.equal(String(await other.recv()), 'y');
});

function spawn(t, how, handles) {
  const child = path.join(__dirname, 'children', 'talks.js');
  const started = Process.spawn({ argv: [process.execPath, child, how], handles });
  t.after(async () => {
    started.kill();
    await started.join();
    started.close();
  });
  return started;
}

test('a child inherits an end, and its end is the end of file', async (t) => {
  const [a, b] = ends(t, { format: 'msgpack' });
  const child = spawn(t, 'echoes', { end: b });
  b.close();
  for (const value of ['hello', [1, 2, 3], pattern(2 * LONG)]) {
    await a.send(value);
    assert.deepEqual(await a.recv({ timeout: 20_000 }), value);
  }
  await a.send('leave');
  await assert.rejects(a.recv({ timeout: 20_000 }), withCode('E_EOF'));
  assert.equal(await child.join(), 0);
});

test('the death of the other end is its close, in each wait', async (t) => {
  const [a, b] = ends(t, { format: 'msgpack' });
  const child = spawn(t, 'waits', { end: b });
  b.close();
  assert.equal(await a.recv({ timeout: 20_000 }), 'here');
  const waits = Promise.allSettled([a.recv(), a.send(pattern(LONG)), a.poll()]); // nobody takes what is sent
  await sleep(20);
  child.kill();
  const [recv, send, poll] = await waits;
  withCode('E_EOF')(recv.reason);
  withCode('E_BROKEN_PIPE')(send.reason);
  assert.equal(poll.value, true);
});

test('bad arguments', async (t) => {
  const [a, b] = ends(t);
  assert.equal(Connection.open, undefined);
  assert.throws(() => new Connection(), TypeError);
  assert.throws(() => pipe({ duplex: 1 }), TypeError);
  assert.throws(() => pipe(null), TypeError);
  assert.throws(() => pipe({ format: 5 }), TypeError);
  assert.throws(() => Connection.inherited('nothing'), withCode('E_NOT_FOUND'));
  assert.throws(() => Connection.inherited('x', { format: 'x'.repeat(32) }), RangeError);
  assert.throws(() => Connection.fromFd(-1), RangeError);
  for (const value of ['text', 5, null, undefined, {}]) {
    assert.throws(() => a.trySend(value), TypeError);
    await assert.rejects(a.send(value), TypeError);
  }
  assert.equal(b.tryPoll(), false);
  await assert.rejects(a.recv({ timeout: '5' }), TypeError);
  await assert.rejects(a.poll({ timeout: NaN }), RangeError);
});
