'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Event, Lock, Process, Queue, Semaphore, activeChildren, current } = require('..');
const { anonymous, leavesNothingBehind, poolOf, sleep, start, until, withCode } = require('./helpers.js');

leavesNothingBehind();

const child = path.join(__dirname, 'children', 'inherits.js');

/** Runs a program; the handle is closed when the test is over. */
function spawn(t, options) {
  const started = Process.spawn(options);
  t.after(async () => {
    if (started.isAlive) started.kill();
    await started.join();
    started.close();
  });
  return started;
}

const shell = (script) => ['/bin/sh', '-c', script];

test('exit codes', async (t) => {
  assert.equal(await spawn(t, { argv: ['true'] }).join(), 0);
  assert.equal(await spawn(t, { argv: shell('exit 7') }).join(), 7);
  const killed = spawn(t, { argv: shell('kill -9 $$') });
  assert.equal(await killed.join(), -9);
  assert.equal(killed.exitCode, -9);
  assert.equal(await killed.join(), -9);
  assert.equal(killed.isAlive, false);
});

test('a process group of its own', async (t) => {
  const groupOf = (pid) => Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[2]);
  const apart = spawn(t, { argv: ['sleep', '60'], group: true });
  const beside = spawn(t, { argv: ['sleep', '60'], group: false });
  assert.equal(groupOf(apart.pid), apart.pid);
  assert.equal(groupOf(beside.pid), groupOf(process.pid));
  assert.throws(() => Process.spawn({ argv: ['true'], group: 1 }), TypeError);
  const pool = poolOf(t, { group: true });
  for (const pid of pool.workerPids()) assert.equal(groupOf(pid), pid);
});

test('a process that runs', async (t) => {
  const sleeper = spawn(t, { argv: ['sleep', '60'], name: 'sleeper' });
  assert.equal(sleeper.name, 'sleeper');
  assert.equal(sleeper.daemon, false);
  assert.equal(sleeper.exitCode, null);
  assert.equal(sleeper.isAlive, true);
  assert.ok(sleeper.pid > 0);
  assert.ok(activeChildren().includes(sleeper.pid));
  await assert.rejects(sleeper.join({ timeout: 20 }), withCode('E_TIMEOUT'));
  await assert.rejects(sleeper.join({ timeout: 0 }), withCode('E_TIMEOUT'));
  const controller = new AbortController();
  const joining = sleeper.join({ signal: controller.signal });
  await sleep(5);
  controller.abort();
  await assert.rejects(joining, { name: 'AbortError' });
  const joins = [sleeper.join(), sleeper.join()];
  sleeper.terminate();
  assert.deepEqual(await Promise.all(joins), [-15, -15]);
  assert.ok(!activeChildren().includes(sleeper.pid));
  sleeper.kill();
});

test('signals', async (t) => {
  const one = spawn(t, { argv: ['sleep', '60'] });
  one.signal('SIGUSR1');
  assert.equal(await one.join(), -os.constants.signals.SIGUSR1);
  const other = spawn(t, { argv: ['sleep', '60'] });
  assert.throws(() => other.signal('SIGNOTHING'), RangeError);
  assert.throws(() => other.signal(0), RangeError);
  assert.throws(() => other.signal(65), RangeError);
  assert.throws(() => other.signal(), TypeError);
  other.signal(2);
  assert.equal(await other.join(), -2);
});

test('environment, directory, descriptors', async (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'out');
  const stdout = fs.openSync(file, 'w');
  const process = spawn(t, {
    argv: shell('echo "$GIVEN $HOME_IS_GONE"; pwd; cat'),
    env: { GIVEN: 'yes', PATH: '/usr/bin:/bin' },
    clearEnv: true,
    cwd: directory,
    stdin: 'ignore',
    stdout,
    stderr: 'ignore',
  });
  assert.equal(await process.join(), 0);
  fs.closeSync(stdout);
  assert.equal(fs.readFileSync(file, 'utf8'), `yes \n${fs.realpathSync(directory)}\n`);
});

// Node marks its own standard descriptors close-on-exec, which left the child without any.
test('a child has the standard descriptors of its parent unless told otherwise', () => {
  const script = `
    const { Process } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const child = Process.spawn({ argv: ['/bin/sh', '-c', 'cat; echo "to stderr" >&2'] });
    child.join().then(() => child.close());
  `;
  const ran = spawnSync(process.execPath, ['-e', script], { input: 'through stdin\n', encoding: 'utf8' });
  assert.equal(ran.stdout, 'through stdin\n');
  assert.equal(ran.stderr, 'to stderr\n');
  assert.equal(ran.status, 0);
});

test('a child inherits by name', async (t) => {
  const given = {
    work: anonymous(t, Queue, { format: 'msgpack' }),
    results: anonymous(t, Queue, { format: 'msgpack' }),
    lock: anonymous(t, Lock),
    permits: anonymous(t, Semaphore, { initial: 5 }),
    go: anonymous(t, Event),
  };
  const started = spawn(t, { argv: [process.execPath, child], name: 'heir', handles: given });
  given.lock.tryAcquire();
  given.work.tryPut({ double: [1, 2, 2n ** 60n] });
  given.go.set();
  const result = await given.results.get({ timeout: 20_000 });
  assert.deepEqual(result, {
    doubled: [2, 4, 2n ** 61n],
    permits: 4,
    locked: true,
    current: { pid: started.pid, parentPid: process.pid, name: 'heir', daemon: false },
    mismatch: 'E_MISMATCH',
    nobody: 'E_NOT_FOUND',
  });
  assert.equal(await started.join(), 0);
  assert.equal(given.permits.value, 4);
  assert.equal(given.lock.isLocked, false);
});

test('this process', () => {
  const me = current();
  assert.equal(me.pid, process.pid);
  assert.equal(me.parentPid, process.ppid);
  assert.equal(me.daemon, false);
  assert.equal(typeof me.name, 'string');
});

test('adopting what somebody else started', async (t) => {
  const { spawn: nodeSpawn } = require('node:child_process');
  const child = nodeSpawn('sleep', ['60']);
  child.unref(); // from now on it is collected here
  const adopted = Process.adopt(child.pid);
  t.after(() => adopted.close());
  assert.equal(adopted.pid, child.pid);
  assert.equal(adopted.isAlive, true);
  const joining = adopted.join();
  adopted.kill();
  await joining.catch(withCode('E_NOT_FOUND')); // Node was quicker to collect it
  assert.equal(adopted.isAlive, false);
});

test('a daemon has no children', async (t) => {
  const results = anonymous(t, Queue, { format: 'msgpack' });
  const daemon = spawn(t, {
    argv: [process.execPath, path.join(__dirname, 'children', 'daemon.js')],
    daemon: true,
    handles: { results },
  });
  assert.equal(daemon.daemon, true);
  assert.deepEqual(await results.get({ timeout: 20_000 }), { daemon: true, spawn: 'E_DAEMONIC' });
  daemon.terminate();
  assert.equal(await daemon.join(), -15);
});

test('a daemon dies with its parent, killed', async (t) => {
  const pids = anonymous(t, Queue, { format: 'msgpack' });
  const parent = spawn(t, {
    argv: [process.execPath, path.join(__dirname, 'children', 'daemon-parent.js')],
    handles: { pids },
  });
  const pid = await pids.get({ timeout: 20_000 });
  const alive = () => fs.existsSync(`/proc/${pid}`) && !/^State:\s*Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  assert.equal(alive(), true);
  parent.kill();
  await parent.join();
  await until(() => !alive(), 'the daemon is gone');
});

test('closed', async () => {
  const started = Process.spawn({ argv: ['true'] });
  await started.join();
  started.close();
  started.close();
  assert.equal(started.closed, true);
  assert.throws(() => started.isAlive, withCode('E_CLOSED'));
  assert.throws(() => started.exitCode, withCode('E_CLOSED'));
  assert.throws(() => started.kill(), withCode('E_CLOSED'));
  await assert.rejects(started.join(), withCode('E_CLOSED'));
});

test('closed while somebody joins', async () => {
  const started = Process.spawn({ argv: ['sleep', '60'] });
  const other = Process.adopt(started.pid);
  const joining = started.join();
  await sleep(10);
  started.close();
  await assert.rejects(joining, withCode('E_CLOSED'));
  other.kill();
  await other.join();
  other.close();
});

test('at a normal exit daemons are told to end and the others are joined', async (t) => {
  const { ended, line } = start(t, 'exits', ['joins']);
  const pid = Number(await line());
  assert.equal(await line(), 'main ends');
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.equal(fs.existsSync(`/proc/${pid}`), false, 'the child has ended before');
});

test('exitChildren waits for them, off the main thread', async (t) => {
  const { ended, line } = start(t, 'exits', ['asks']);
  const pid = Number(await line());
  assert.equal(await line(), 'ticks while it waits');
  assert.equal(await line(), 'they have ended');
  assert.equal(fs.existsSync(`/proc/${pid}`), false);
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test('switched off, the others outlive a normal exit', async (t) => {
  const { ended, line } = start(t, 'exits', ['leaves']);
  const pid = Number(await line());
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal(await line(), 'main ends');
  assert.deepEqual(await ended, { code: 0, signal: null });
  assert.equal(fs.existsSync(`/proc/${pid}`), true);
});
