'use strict';

// The sources of a map's values, and the times of its results.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { leavesNothingBehind, poolOf } = require('./helpers.js');

leavesNothingBehind();

/** A source that yields values one by one, each after the test has added it. */
function queueOf(...values) {
  let wake = () => {};
  return {
    add(value) {
      values.push(value);
      wake();
    },
    async *values() {
      for (;;) {
        while (values.length === 0) await new Promise((resolve) => (wake = resolve));
        const value = values.shift();
        if (value === undefined) return;
        yield value;
      }
    },
  };
}

for (const how of ['imap', 'imapUnordered']) {
  test(`${how} over a source that follows from the results`, async (t) => {
    const pool = poolOf(t);
    const found = queueOf(1);
    const results = [];
    for await (const square of pool[how]('square', found.values())) {
      results.push(square);
      found.add(results.length === 5 ? undefined : square + 1);
    }
    assert.deepEqual(results, [1, 4, 25, 676, 458329]);
  });

  test(`${how} gives each result while its source waits for the next value`, async (t) => {
    const pool = poolOf(t);
    const more = queueOf(1, 2);
    const iterator = pool[how]('square', more.values(), { window: 100 });
    const first = [(await iterator.next()).value, (await iterator.next()).value];
    assert.deepEqual(first.sort(), [1, 4]);
    more.add(3);
    assert.equal((await iterator.next()).value, 9);
    more.add(undefined);
    assert.equal((await iterator.next()).done, true);
  });

  test(`${how} over a source that fails: the results, then the error`, async (t) => {
    const pool = poolOf(t);
    const failure = new Error('the source failed');
    for (const chunkSize of [1, 2]) {
      for (const isAsync of [true, false]) {
        function* values() {
          yield* [0, 1, 2, 3, 4];
          throw failure;
        }
        async function* asyncValues() {
          yield* values();
        }
        const results = [];
        const source = isAsync ? asyncValues() : values();
        await assert.rejects(async () => {
          for await (const square of pool[how]('square', source, { chunkSize })) results.push(square);
        }, failure);
        assert.deepEqual(results.sort((a, b) => a - b), [0, 1, 4, 9, 16]);
      }
    }
    assert.equal(pool.info().succeeded, pool.info().submitted);
  });

  test(`${how} with a value that cannot be sent: the results, then the error, and the source is left`, async (t) => {
    const pool = poolOf(t);
    const results = [];
    let isLeft = false;
    function* values() {
      try {
        yield* [1, 2, () => {}, 3];
      } finally {
        isLeft = true;
      }
    }
    await assert.rejects(async () => {
      for await (const square of pool[how]('square', values())) results.push(square);
    }, TypeError);
    assert.deepEqual(results.sort(), [1, 4]);
    assert.equal(isLeft, true);
  });

  test(`${how} can be left while its source waits`, async (t) => {
    const pool = poolOf(t);
    for await (const square of pool[how]('square', queueOf(3).values())) {
      assert.equal(square, 9);
      break;
    }
    const controller = new AbortController();
    await assert.rejects(async () => {
      for await (const square of pool[how]('square', queueOf(3).values(), { signal: controller.signal })) {
        assert.equal(square, 9);
        controller.abort();
      }
    }, { name: 'AbortError' });
  });
}
