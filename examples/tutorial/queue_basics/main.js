'use strict';

// A queue of at most three items: what each call does while it is empty, while it is full, and in
// between. A message is there for every process when its put has returned, so isEmpty, isFull and
// length are exact.

const { Queue } = require('../../../bindings/node');
const { run, seconds } = require('../../support/example.js');

const yesOrNo = (is) => (is ? 'yes' : 'no');

/** The code of the error that a call is expected to fail with. */
async function failure(call) {
  try {
    await call;
  } catch (error) {
    return error.code;
  }
  throw new Error('it succeeded');
}

async function main() {
  const queue = Queue.create({ maxItems: 3, format: 'msgpack' });
  console.log(`full: ${yesOrNo(queue.isFull)}`);
  console.log(`empty: ${yesOrNo(queue.isEmpty)}`);
  for (const message of [1, 2, 3]) {
    await queue.put(message);
    console.log(`put ${message}`);
    if (message === 1) console.log(`empty: ${yesOrNo(queue.isEmpty)}`);
  }
  console.log(`full: ${yesOrNo(queue.isFull)}`);

  const late = await failure(queue.put(4, { timeout: seconds(2) }));
  if (late === 'E_FULL') console.log('put 4, waiting 2 s: full');
  if (!queue.tryPut(4)) console.log('put 4 at once: full');
  console.log(`length: ${queue.length}`);

  for (let i = 0; i < 3; i++) console.log(`got ${await queue.get()}`);
  const none = await failure(queue.get({ timeout: seconds(2) }));
  if (none === 'E_EMPTY') console.log('get, waiting 2 s: empty');
  if (queue.tryGet() === undefined) console.log('get at once: empty');
  console.log(`empty: ${yesOrNo(queue.isEmpty)}`);
}

run({ main });
