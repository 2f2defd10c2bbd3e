'use strict';

// The message of a task's error, for everything that can happen to a task.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { failed, leavesNothingBehind, poolOf, withCode } = require('./helpers.js');

leavesNothingBehind();

const THROWN = {
  bare: '[Object: null prototype] {}',
  plain: "{ code: 7, message: 'a plain object' }",
  number: '42',
  nothing: 'undefined',
  symbol: 'Symbol(sign)',
  ownString: '{ toString: [Function: toString] }',
  ownInspect: 'the function threw what cannot be shown',
  getter: 'the function threw what cannot be shown',
  oddError: '42',
  nul: 'before\\0after',
  proxy: 'the function threw what cannot be shown',
};

test('whatever a function throws fails its task, and the worker lives', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  const pid = await pool.apply('pid');
  for (const [what, message] of Object.entries(THROWN)) {
    await assert.rejects(pool.apply('throws', what), failed('E_TASK_FAILED', message), what);
    assert.equal(await pool.apply('pid'), pid, what);
  }
  assert.equal(pool.info().diedWorkers, 0);
});

test('the error of a task says what happened to which function', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  await assert.rejects(pool.apply('exits', 3), failed('E_WORKER_DIED', 'task "exits": its worker died'));
  await assert.rejects(pool.apply('dies'), failed('E_WORKER_DIED', 'task "dies": its worker died'));
  const late = 'task "hangs": it was over its time limit, and its worker was killed';
  await assert.rejects(pool.apply('hangs', undefined, { timeLimit: 20 }), failed('E_TIMEOUT', late));
  await assert.rejects(pool.map('exits', [3]), failed('E_WORKER_DIED', 'task "exits": its worker died'));

  const running = pool.submit('hangs');
  await assert.rejects(running.result({ timeout: 1 }), (error) => {
    withCode('E_TIMEOUT')(error);
    assert.match(error.message, /^task "hangs": /);
    return true;
  });
  const waiting = pool.submit('square', 5);
  assert.equal(waiting.cancel(), true);
  await assert.rejects(waiting, failed('E_CANCELED', 'task "square": it was cancelled before it began'));
  pool.terminate();
  const ended = 'task "hangs": its pool was terminated or freed before it was over';
  await assert.rejects(running, failed('E_SHUTDOWN', ended));
});

test('a pool that is freed says so for each task', async (t) => {
  const pool = poolOf(t, { workers: 1 });
  const task = pool.submit('hangs');
  pool.free();
  await assert.rejects(task, failed('E_SHUTDOWN', 'task "hangs": its pool was terminated or freed before it was over'));
});
