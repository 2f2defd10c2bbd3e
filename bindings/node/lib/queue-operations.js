'use strict';

// The operations of a queue that may have to wait, in the form that `perform` takes.

const { check } = require('./errors.js');
const { constants, native, numbers, status, LENGTH, LOAN, OFFSET, ROW } = require('./native.js');
const { Message, Slot, messagesOf } = require('./message.js');
const { TOKEN } = require('./object.js');
const { checkSlab, cut, makeRoom, reader } = require('./slab.js');
const { Operation } = require('./wait/operation.js');

const { apply } = Reflect;
const CODEC = Symbol('codec');
const PUTS = 0;
const JOINS = 1;

/**
 * A wait of the get side is tried again whenever the queue is ready, so its answer is that of a
 * try.
 */
function getting(operation) {
  return new Operation({ ...operation, polled: true, late: status.E_EMPTY, end: status.E_SHUTDOWN });
}

const getCopy = reader(native.queueGet, native.queueGetInto);

const get = getting({
  what: 'get',
  attempt: getCopy,
  atOnce: (queue, answer) => queue[CODEC].decode(typeof answer === 'number' ? check(answer, 'get') : answer),
});

/** Returns at most `max` of the messages that are there; a status if there is none. */
function attemptGetMany(handle, max) {
  makeRoom();
  const messages = [];
  while (messages.length < max) {
    const answer = native.queueGetMany(handle, max - messages.length);
    for (let i = 0; i < answer; i++) messages.push(cut(numbers[i * ROW + OFFSET], numbers[i * ROW + LENGTH]));
    if (answer > 0) continue;
    const one = answer === status.E_TOO_SMALL ? getCopy(handle) : answer; // the slab is full
    if (typeof one !== 'number') messages.push(one);
    else return messages.length > 0 ? messages : one;
  }
  return messages;
}

const getMany = getting({
  what: 'getMany',
  attempt: attemptGetMany,
  atOnce(queue, answer) {
    if (typeof answer === 'number') check(answer, 'getMany');
    const { decode } = queue[CODEC];
    for (let i = 0; i < answer.length; i++) answer[i] = decode(answer[i]);
    return answer;
  },
});

const take = getting({
  what: 'take',
  attempt(handle) {
    checkSlab();
    return native.queueTake(handle);
  },
  atOnce(queue, loan) {
    check(loan, 'take');
    return new Message(TOKEN, queue[CODEC], 0);
  },
});

const takeMany = getting({
  what: 'takeMany',
  attempt(handle, max) {
    makeRoom();
    return native.queueTakeMany(handle, max);
  },
  atOnce: (queue, count) => messagesOf(queue[CODEC], check(count, 'takeMany')),
});

/** `answer`: undefined, or a status. To compare undefined with a number is slow in JavaScript. */
function checkPut(queue, answer) {
  if (answer !== undefined) check(answer, 'put');
}

const put = new Operation({
  code: constants.WAIT_PUT,
  direction: PUTS,
  late: status.E_FULL,
  what: 'put',
  attempt: (handle, bytes) => native.queuePut(handle, bytes),
  atOnce: checkPut,
  later: checkPut,
});

/** Puts at most BATCH_MAX of the items from `first` on; returns how many, or a status. */
function attemptPutMany(handle, items, first = 0) {
  const count = Math.min(items.length - first, constants.BATCH_MAX);
  if (first === 0 && count <= constants.STAGE_MAX && count === items.length) return putStaged(handle, items, 0);
  const calls = [];
  for (let from = 0; from < count; from += constants.STAGE_MAX) {
    const call = [];
    for (let i = from; i < count && i < from + constants.STAGE_MAX; i++) call.push(items[first + i]);
    calls.push(call);
  }
  const last = calls.pop() ?? [];
  // From here on no code of the program runs, which could detach what is staged: no iterator.
  for (let i = 0; i < calls.length; i++) stage(handle, calls[i], i * constants.STAGE_MAX);
  return putStaged(handle, last, calls.length * constants.STAGE_MAX);
}

// The messages are the arguments of these two calls, so that no second array is made: the queue's
// handle is `this`, and row 0 has the number of the messages that are staged already.

function stage(handle, items, staged) {
  numbers[LOAN] = staged;
  apply(native.queueStage, handle, items);
}

function putStaged(handle, items, staged) {
  numbers[LOAN] = staged;
  return apply(native.queuePutMany, handle, items);
}

const putMany = new Operation({
  code: constants.WAIT_PUT_MANY,
  direction: PUTS,
  late: status.E_FULL,
  what: 'putMany',
  attempt: (handle, items) => attemptPutMany(handle, items),
  atOnce: (queue, count) => check(count, 'putMany'),
  later: (queue, count) => check(count, 'putMany'),
});

function slotOf(queue, loan, length) {
  return new Slot(TOKEN, queue, check(loan, 'reserve'), length);
}

const reserve = new Operation({
  code: constants.WAIT_RESERVE,
  direction: PUTS,
  late: status.E_FULL,
  what: 'reserve',
  attempt: native.queueReserve,
  atOnce: slotOf,
  later: slotOf,
});

function checkJoin(queue, answer) {
  check(answer, queue.joinable ? 'join' : 'join of a queue that is not joinable');
}

const join = new Operation({
  code: constants.WAIT_JOIN,
  direction: JOINS,
  late: status.E_TIMEOUT,
  what: 'join',
  attempt: native.queueJoin,
  atOnce: checkJoin,
  later: checkJoin,
});

/**
 * For waitAny. A put has no descriptor: a queue that is full for a long message has room for a
 * short one.
 */
const room = new Operation({
  code: constants.WAIT_ANY,
  begin: (handle, argument, code) => native.wait(undefined, code, [handle], [constants.READY_PUT]),
  late: status.E_TIMEOUT,
  what: 'waitAny',
  later: (owner, answer) => typeof answer !== 'number' || check(answer, 'waitAny') >= 0,
});

module.exports = { CODEC, attemptPutMany, operations: { get, getMany, join, put, putMany, reserve, room, take, takeMany } };
