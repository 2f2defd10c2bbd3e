'use strict';

// What can be done with a queue and may have to wait, in the form that `perform` takes.

const { check } = require('./errors.js');
const { constants, native, numbers, status, LENGTH, LOAN, OFFSET, ROW } = require('./native.js');
const { Message, Slot, messagesOf } = require('./message.js');
const { TOKEN } = require('./object.js');
const { copyLoan, cut, getCopy, makeRoom } = require('./slab.js');

const CODEC = Symbol('codec');
const JOINABLE = Symbol('joinable');

const GETS = 0;
const PUTS = 1;
const JOINS = 2;

/** A message got by way of a loan: on a joinable queue it stays unfinished until task_done. */
function settleGot(queue, loan) {
  return queue[JOINABLE] ? native.loanForget(loan) : native.loanDone(loan);
}

function copyGot(queue, loan, length) {
  const bytes = copyLoan(loan, length);
  check(settleGot(queue, loan), 'get');
  return bytes;
}

const get = {
  code: constants.WAIT_TAKE,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'get',
  attempt: getCopy,
  atOnce(queue, answer) {
    return queue[CODEC].decode(typeof answer === 'number' ? check(answer, 'get') : answer);
  },
  later(queue, loan) {
    check(loan, 'get');
    const length = numbers[LENGTH];
    const offset = numbers[OFFSET];
    if (offset < 0) return queue[CODEC].decode(copyGot(queue, loan, length));
    check(settleGot(queue, loan), 'get');
    return queue[CODEC].decode(cut(offset, length));
  },
};

/** The messages of the first rows as values; those without a loan are settled. */
function valuesOf(queue, count) {
  const values = new Array(count);
  for (let i = 0; i < count; i++) {
    const at = i * ROW;
    const offset = numbers[at + OFFSET];
    const length = numbers[at + LENGTH];
    const loan = numbers[at + LOAN];
    if (offset < 0) {
      values[i] = copyGot(queue, loan, length);
    } else {
      if (loan >= 0) settleGot(queue, loan);
      values[i] = cut(offset, length);
    }
  }
  return values.map(queue[CODEC].decode);
}

function takenOf(queue, count) {
  return messagesOf(queue[CODEC], check(count, 'takeMany'));
}

const getMany = {
  code: constants.WAIT_TAKE_MANY,
  direction: GETS,
  late: status.E_EMPTY,
  what: 'getMany',
  attempt(handle, max) {
    makeRoom();
    return native.queueGetMany(handle, max, false);
  },
  atOnce: (queue, count) => valuesOf(queue, check(count, 'getMany')),
  later: (queue, count) => valuesOf(queue, check(count, 'getMany')),
};

const getManyJoinable = {
  ...getMany,
  attempt(handle, max) {
    makeRoom();
    return native.queueGetMany(handle, max, true);
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
  JOINABLE,
  operations: { get, getMany, getManyJoinable, join, put, putMany, reserve, take, takeMany },
};
