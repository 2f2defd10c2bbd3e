'use strict';

// What is on loan from a queue: a message taken, a slot reserved. Short ones are copies, cheaper than a view of shared
// memory; the view of a long one is made when it is asked for and detached when the loan is settled.

const { markAsUntransferable } = require('node:worker_threads');
const { check, PolyprocError } = require('./errors.js');
const { constants, halves, native, numbers, status, DELIVERIES, ID, LENGTH, LOAN, OFFSET, ROW } = require('./native.js');
const { TOKEN } = require('./object.js');
const { readInteger, typeError } = require('./options.js');
const { copyLoan, keep } = require('./slab.js');

const SETTLED = -1;

function refuseSettled(what) {
  throw new PolyprocError(status.E_INVALID, `${what}, settled already`);
}

/** A view that was transferred could not be detached any more. */
function bufferOver(view) {
  markAsUntransferable(view);
  return Buffer.from(view);
}

class Message {
  #loan;
  #codec;
  #bytes;
  #memory; // where a short one was copied to, and
  #offset;
  #low; // the halves of its id: a BigInt for each message would cost as much as the rest
  #high;

  constructor(token, codec, at) {
    if (token !== TOKEN) throw new TypeError('use queue.take');
    this.#loan = numbers[at + LOAN];
    this.#codec = codec;
    this.length = numbers[at + LENGTH];
    this.deliveries = numbers[at + DELIVERIES];
    this.#low = halves[2 * (at + ID)];
    this.#high = halves[2 * (at + ID) + 1];
    this.#offset = numbers[at + OFFSET];
    this.#memory = this.#offset < 0 ? undefined : keep(this.#offset, this.length);
    this.#bytes = undefined;
  }

  get id() {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  get settled() {
    return this.#loan === SETTLED;
  }

  get data() {
    if (this.#isShort()) return this.#copy();
    if (this.#loan === SETTLED) refuseSettled('data of a message');
    if (this.#bytes === undefined) {
      const view = native.loanView(this.#loan);
      this.#bytes = view === undefined ? copyLoan(this.#loan, this.length) : bufferOver(view);
    }
    return this.#bytes;
  }

  get value() {
    if (this.#isShort()) return this.#codec.decode(this.#copy());
    if (this.#loan === SETTLED) refuseSettled('value of a message');
    return this.#codec.decode(copyLoan(this.#loan, this.length));
  }

  #isShort() {
    return this.length <= constants.COPY_LIMIT;
  }

  /** The native side made it when the message was taken, unless the slab had no room for it. */
  #copy() {
    if (this.#bytes === undefined && this.#memory !== undefined) {
      this.#bytes = Buffer.from(this.#memory, this.#offset, this.length);
    } else if (this.#bytes === undefined) {
      if (this.#loan === SETTLED) refuseSettled('data of a message');
      this.#bytes = copyLoan(this.#loan, this.length);
    }
    return this.#bytes;
  }

  #end() {
    const loan = this.#loan;
    if (loan === SETTLED) refuseSettled('message');
    this.#loan = SETTLED;
    return loan;
  }

  done() {
    check(native.loanDone(this.#end()), 'done');
  }

  /** Likewise of several, in one call for many. */
  static doneMany(messages) {
    if (!Array.isArray(messages)) throw typeError('messages', 'an array of messages', messages);
    for (let at = 0; at < messages.length; ) {
      let count = 0;
      try {
        while (count < constants.BATCH_MAX && at < messages.length) {
          const loan = messages[at++].#end();
          numbers[count++ * ROW + LOAN] = loan;
        }
      } finally {
        check(native.loansDone(count), 'done'); // also those before one that was settled already
      }
    }
  }

  return() {
    check(native.loanReturn(this.#end()), 'return');
  }
}
if (Symbol.dispose) {
  Message.prototype[Symbol.dispose] = function () {
    if (!this.settled) this.return();
  };
}

class Slot {
  #loan;
  #isCopy;

  constructor(token, loan, length) {
    if (token !== TOKEN) throw new TypeError('use queue.reserve');
    this.#loan = loan;
    this.length = length;
    const view = length > constants.COPY_LIMIT ? native.slotView(loan) : undefined;
    this.#isCopy = view === undefined;
    this.data = view === undefined ? Buffer.allocUnsafe(length) : bufferOver(view);
  }

  get settled() {
    return this.#loan === SETTLED;
  }

  #end() {
    const loan = this.#loan;
    if (loan === SETTLED) refuseSettled('slot');
    this.#loan = SETTLED;
    return loan;
  }

  commit(length = this.length) {
    readInteger(length, 'length', 0, this.length);
    const bytes = this.#isCopy ? this.data.subarray(0, length) : undefined;
    check(native.slotCommit(this.#end(), length, bytes), 'commit');
  }

  abort() {
    check(native.slotAbort(this.#end()), 'abort');
  }
}
if (Symbol.dispose) {
  Slot.prototype[Symbol.dispose] = function () {
    if (!this.settled) this.abort();
  };
}

/** The messages of the first `count` rows. */
function messagesOf(codec, count) {
  const messages = new Array(count);
  for (let i = 0; i < count; i++) messages[i] = new Message(TOKEN, codec, i * ROW);
  return messages;
}

module.exports = { Message, Slot, messagesOf };
