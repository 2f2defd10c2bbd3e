'use strict';

// What can be done with a queue and may have to wait, in the form that `perform` takes.

const { check } = require('./errors.js');
const { constants, native, numbers, status, LENGTH, OFFSET, ROW } = require('./native.js');
const { Message, Slot, messagesOf } = require('./message.js');
const { HANDLE, TOKEN } = require('./object.js');
const { checkSlab, copyLoan, cut, getCopy, makeRoom } = require('./slab.js');

const CODEC = Symbol('codec');
const GET = Symbol('get'); // the operation of a queue's get, and
const GET_MANY = Symbol('getMany');

const GETS = 0;
const PUTS = 1;
const JOINS = 2;

function decodeGot(queue, answer) {
  return queue[CODEC].decode(typeof answer === 'number' ? check(answer, 'get') : answer);
}

const get = {
  code: constants.WAIT_TAKE,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'get',
  attempt: getCopy,
  atOnce: decodeGot,
  later(queue, loan) {
    check(loan, 'get');
    const bytes = copyLoan(loan, numbers[LENGTH]);
    check(native.loanDone(loan), 'get');
    return queue[CODEC].decode(bytes);
  },
};

// What is taken from a joinable queue is settled as a message, not by task_done: a get must be a get all the way.
const getTask = { ...get, code: constants.WAIT_GET, later: decodeGot };

/** A list of what is there, at most `max`; a status when there is nothing. */
function attemptMany(handle, max) {
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

function valuesOf(queue, answer) {
  if (typeof answer === 'number') check(answer, 'getMany');
  return answer.map(queue[CODEC].decode);
}

/** A get that waits for the first, and then gets what else is there. */
function many(one) {
  return {
    ...one,
    what: 'getMany',
    attempt: attemptMany,
    atOnce: valuesOf,
    later(queue, answer, max) {
      const first = one.later(queue, answer);
      const rest = attemptMany(queue[HANDLE], max - 1);
      return typeof rest === 'number' ? [first] : [first, ...valuesOf(queue, rest)];
    },
  };
}

const take = {
  code: constants.WAIT_TAKE,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'take',
  attempt(handle) {
    checkSlab();
    return native.queueTake(handle);
  },
  atOnce(queue, loan) {
    check(loan, 'take');
    return new Message(TOKEN, queue[CODEC], 0);
  },
};
take.later = take.atOnce;

function takenOf(queue, count) {
  return messagesOf(queue[CODEC], check(count, 'takeMany'));
}

const takeMany = {
  code: constants.WAIT_TAKE_MANY,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'takeMany',
  attempt(handle, max) {
    makeRoom();
    return native.queueTakeMany(handle, max);
  },
  atOnce: takenOf,
  later: takenOf,
};

function checkPut(queue, answer) {
  check(answer, 'put');
}

const put = {
  code: constants.WAIT_PUT,
  direction: PUTS,
  late: status.E_FULL,
  what: 'put',
  attempt: native.queuePut,
  atOnce: checkPut,
  later: checkPut,
};

const putMany = {
  code: constants.WAIT_PUT_MANY,
  direction: PUTS,
  late: status.E_FULL,
  what: 'putMany',
  attempt: (handle, items) => native.queuePutMany(handle, items, 0),
  atOnce: (queue, count) => check(count, 'putMany'),
  later: (queue, count) => check(count, 'putMany'),
};

function slotOf(queue, loan, length) {
  return new Slot(TOKEN, check(loan, 'reserve'), length);
}

const reserve = {
  code: constants.WAIT_RESERVE,
  direction: PUTS,
  late: status.E_FULL,
  what: 'reserve',
  attempt: native.queueReserve,
  atOnce: slotOf,
  later: slotOf,
};

function checkJoin(queue, answer) {
  check(answer, 'join');
}

const join = {
  code: constants.WAIT_JOIN,
  direction: JOINS,
  late: status.E_TIMEOUT,
  what: 'join',
  attempt: native.queueJoin,
  atOnce: checkJoin,
  later: checkJoin,
};

module.exports = {
  CODEC,
  GET,
  GET_MANY,
  operations: { get, getMany: many(get), getTask, getTasks: many(getTask), join, put, putMany, reserve, take, takeMany },
};
