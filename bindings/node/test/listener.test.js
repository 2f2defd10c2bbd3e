'use strict';

const assert = require('node:assert/strict');
const childProcess = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { test } = require('node:test');
const { Listener, connect } = require('..');
const { leavesNothingBehind, sleep, withCode } = require('./helpers.js');

leavesNothingBehind();

const KEY = 'Hello World!';
const SIZES = [0, 1, 16_384, 16_385, 20 * 2 ** 20];

function pattern(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8)) & 255;
  return bytes;
}

function directory(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

const addresses = {
  tcp: () => 'tcp://127.0.0.1:0',
  tcp6: () => 'tcp://[::1]:0',
  unix: (t) => `unix:${directory(t)}/socket`,
  abstract: () => `unix:@node-test-${process.pid}-${Math.random()}`,
};

function listenerOf(t, address, options = {}) {
  const listener = Listener.create(address, options);
  t.after(() => listener.close());
  return listener;
}

/** Starts CPython as the other side; `line()` resolves to the next line that it prints. */
function python(t, ...args) {
  const child = childProcess.spawn('python3', [path.join(__dirname, 'python', 'peer.py'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { ended, line: async () => (await lines.next()).value };
}

/** The address as Python's side of the test takes it. */
const forPython = (address) => address.replace(/^tcp:\/\/|^unix:/, '');

async function echoes(connection) {
  for (const size of SIZES) {
    const message = pattern(size);
    const echo = connection.recv({ timeout: 60_000 });
    await connection.send(message);
    assert.ok((await echo).equals(message), `${size} bytes`);
  }
}

for (const [kind, addressOf] of Object.entries(addresses)) {
  test(`Node and Node: ${kind}`, async (t) => {
    const listener = listenerOf(t, addressOf(t), { authkey: KEY, format: 'msgpack' });
    const serving = (async () => {
      for await (const connection of listener) {
        for await (const value of connection) await connection.send(value);
        connection.close();
      }
    })();
    for (let i = 0; i < 2; i++) {
      const client = await connect(listener.address, { authkey: Buffer.from(KEY), format: 'msgpack' });
      for (const value of [['hello', 88], null, pattern(3_000_000)]) {
        await client.send(value);
        assert.deepEqual(await client.recv(), value);
      }
      client.close();
    }
    listener.close();
    await serving;
  });
}

for (const kind of ['tcp', 'unix', 'abstract']) {
  for (const authkey of [KEY, undefined]) {
    const how = `${kind}, ${authkey === undefined ? 'no key' : 'a key'}`;
    test(`CPython is the client: ${how}`, async (t) => {
      const listener = listenerOf(t, addresses[kind](t), { authkey });
      const peer = python(t, 'client', forPython(listener.address), authkey ?? '-');
      const connection = await listener.accept({ timeout: 60_000 });
      assert.equal(await peer.line(), 'connected');
      await echoes(connection);
      connection.close();
      assert.equal(await peer.ended, 0);
    });
  }
}

for (const [kind, family] of [
  ['tcp', 'AF_INET'],
  ['unix', 'AF_UNIX'],
]) {
  for (const authkey of [KEY, undefined]) {
    test(`CPython is the listener: ${kind}, ${authkey === undefined ? 'no key' : 'a key'}`, async (t) => {
      const peer = python(t, 'listener', family, authkey ?? '-');
      const where = await peer.line();
      const address = kind === 'tcp' ? `tcp://${where}` : `unix:${where}`;
      for (let i = 0; i < 2; i++) {
        const connection = await connect(address, { authkey, timeout: 60_000 });
        await echoes(connection);
        connection.close();
      }
    });
  }
}

test('a wrong key is refused, whoever has it', async (t) => {
  const listener = listenerOf(t, 'tcp://127.0.0.1:0', { authkey: KEY });
  const accepting = listener.accept({ timeout: 60_000 });
  await assert.rejects(connect(listener.address, { authkey: 'wrong' }), withCode('E_AUTH'));
  const wrong = python(t, 'client', forPython(listener.address), 'wrong');
  assert.match(await wrong.line(), /^refused:/);
  const right = connect(listener.address, { authkey: KEY });
  const accepted = await accepting;
  (await right).close();
  await assert.rejects(accepted.recv(), withCode('E_EOF'));
  accepted.close();
  const peer = python(t, 'listener', 'AF_INET', KEY);
  const address = `tcp://${await peer.line()}`;
  await assert.rejects(connect(address, { authkey: 'wrong' }), withCode('E_AUTH'));
  assert.match(await peer.line(), /^refused:/);
});

test('who is silent or talks nonsense holds up nobody', async (t) => {
  const listener = listenerOf(t, 'tcp://127.0.0.1:0', { authkey: KEY, handshakeTimeout: 60_000 });
  const accepting = listener.accept();
  const [, host, port] = /tcp:\/\/(.*):(\d+)/.exec(listener.address);
  const silent = Array.from({ length: 20 }, () => net.connect(Number(port), host).on('error', () => {}));
  t.after(() => silent.forEach((socket) => socket.destroy()));
  const loud = net.connect(Number(port), host).on('error', () => {});
  t.after(() => loud.destroy());
  loud.write('GET / HTTP/1.0\r\n\r\n');
  await sleep(50);
  const connection = await connect(listener.address, { authkey: KEY, timeout: 60_000 });
  (await accepting).close();
  connection.close();
});

test('accept waits, times out, is aborted and closed', async (t) => {
  const listener = listenerOf(t, 'tcp://127.0.0.1:0');
  assert.equal(listener.tryAccept(), undefined);
  await assert.rejects(listener.accept({ timeout: 0 }), withCode('E_TIMEOUT'));
  await assert.rejects(listener.accept({ timeout: 20 }), withCode('E_TIMEOUT'));
  await assert.rejects(listener.accept({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  const waiting = listener.accept();
  await sleep(5);
  listener.close();
  assert.equal(listener.closed, true);
  await assert.rejects(waiting, withCode('E_CLOSED'));
  assert.throws(() => listener.tryAccept(), withCode('E_CLOSED'));
  await assert.rejects(connect(listener.address), { code: 'ECONNREFUSED' });
});

test('connect times out, is aborted, finds nobody', async (t) => {
  const silent = net.createServer();
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const sockets = [];
  silent.on('connection', (socket) => sockets.push(socket));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  const address = `tcp://127.0.0.1:${silent.address().port}`;
  await assert.rejects(connect(address, { authkey: KEY, timeout: 30 }), withCode('E_TIMEOUT'));
  await assert.rejects(connect(address, { authkey: KEY, handshakeTimeout: 30 }), withCode('E_TIMEOUT'));
  await assert.rejects(connect(address, { authkey: KEY, signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' });
  await assert.rejects(connect(`unix:${directory(t)}/nothing`), withCode('E_NOT_FOUND'));
});

test('a message that is too long is refused by its length', async (t) => {
  const listener = listenerOf(t, 'tcp://127.0.0.1:0', { maxMessage: 1000 });
  const client = await connect(listener.address);
  const connection = await listener.accept();
  await client.send(pattern(1000));
  assert.equal((await connection.recv()).length, 1000);
  await client.send(pattern(1001));
  await assert.rejects(connection.recv(), withCode('E_TOO_LARGE'));
  client.close();
  connection.close();
});

test('the death of a peer is the end of file', async (t) => {
  const listener = listenerOf(t, 'tcp://127.0.0.1:0', { authkey: KEY });
  const child = childProcess.spawn('python3', [path.join(__dirname, 'python', 'peer.py'), 'client', forPython(listener.address), KEY]);
  t.after(() => child.kill('SIGKILL'));
  const connection = await listener.accept({ timeout: 60_000 });
  const receiving = connection.recv();
  const polling = connection.poll();
  await sleep(5);
  child.kill('SIGKILL');
  await assert.rejects(receiving, withCode('E_EOF'));
  assert.equal(await polling, true);
  connection.close();
});

test('bad arguments', async () => {
  assert.throws(() => new Listener(), TypeError);
  assert.throws(() => Listener.create(5), TypeError);
  for (const address of ['', 'nothing', 'tcp://', 'tcp://127.0.0.1:99999', `unix:${'x'.repeat(108)}`]) {
    assert.throws(() => Listener.create(address), withCode('E_INVALID'), address);
    await assert.rejects(connect(address), withCode('E_INVALID'), address);
  }
  assert.throws(() => Listener.create('tcp://0.0.0.0:0'), withCode('E_PERMISSION'));
  assert.throws(() => Listener.create('tcp://127.0.0.1:0', { authkey: '' }), RangeError);
  assert.throws(() => Listener.create('tcp://127.0.0.1:0', { authkey: 5 }), TypeError);
  assert.throws(() => Listener.create('tcp://127.0.0.1:0', { backlog: 4097 }), RangeError);
  assert.throws(() => Listener.create('tcp://127.0.0.1:0', { handshakeTimeout: -1 }), RangeError);
  assert.throws(() => Listener.create('tcp://127.0.0.1:0', { allowMd5: 1 }), TypeError);
  await assert.rejects(connect('tcp://127.0.0.1:1', null), TypeError);
});
