'use strict';

// What can be done with a queue and may have to wait, in the form that `perform` takes.

const { check } = require('./errors.js');
const { constants, native, numbers, status, LENGTH, LOAN, OFFSET, ROW } = require('./native.js');
const { Message, Slot, messagesOf } = require('./message.js');
const { HANDLE, TOKEN } = require('./object.js');
const { copyLoan, cut, getCopy, makeRoom } = require('./slab.js');

const CODEC = Symbol('codec');
const GET = Symbol('get'); // the operation of a queue's get, and
const GET_MANY = Symbol('getMany');

const GETS = 0;
const PUTS = 1;
const JOINS = 2;

function decodeGot(queue, answer) {
  return queue[CODEC].decode(typeof answer === 'number' ? check(answer, 'get') : answer);
}

/** A message got by way of a loan. */
function finishLoan(loan, length, offset) {
  const bytes = offset < 0 ? copyLoan(loan, length) : cut(offset, length);
  check(native.loanDone(loan), 'get');
  return bytes;
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
    return queue[CODEC].decode(finishLoan(loan, numbers[LENGTH], numbers[OFFSET]));
  },
};

/** The messages of the first rows as values; those without a loan are settled. */
function valuesOf(queue, count) {
  check(count, 'getMany');
  const values = new Array(count);
  for (let i = 0; i < count; i++) {
    const at = i * ROW;
    const offset = numbers[at + OFFSET];
    const length = numbers[at + LENGTH];
    const loan = numbers[at + LOAN];
    values[i] = loan < 0 ? cut(offset, length) : finishLoan(loan, length, offset);
  }
  return values.map(queue[CODEC].decode);
}

const getMany = {
  code: constants.WAIT_TAKE_MANY,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'getMany',
  attempt(handle, max) {
    makeRoom();
    return native.queueGetEach(handle, max);
  },
  atOnce: valuesOf,
  later: valuesOf,
};

// What is taken from a joinable queue is settled as a message, not by task_done: a get must be a get all the way.

const getTask = { ...get, code: constants.WAIT_GET, later: decodeGot };

const getTasks = {
  code: constants.WAIT_GET,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'getMany',
  attempt(handle, max) {
    makeRoom();
    const answer = native.queueGetEach(handle, max);
    if (answer !== status.E_TOO_SMALL) return answer;
    const one = getCopy(handle);
    return typeof one === 'number' ? one : [one];
  },
  atOnce(queue, answer) {
    return typeof answer === 'number' ? valuesOf(queue, answer) : answer.map(queue[CODEC].decode);
  },
  /** The first has come; what else is there comes along. */
  later(queue, first, max) {
    const rest = first instanceof Buffer && max > 1 ? getTasks.attempt(queue[HANDLE], max - 1) : 0;
    const values = [decodeGot(queue, first)];
    return typeof rest === 'number' && rest < 0 ? values : values.concat(getTasks.atOnce(queue, rest));
  },
};

const take = {
  code: constants.WAIT_TAKE,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'take',
  attempt(handle) {
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
  operations: { get, getMany, getTask, getTasks, join, put, putMany, reserve, take, takeMany },
};
