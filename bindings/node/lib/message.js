'use strict';

// Loans from a queue: taken messages and reserved slots. A short message is a copy, which is
// cheaper than a view of shared memory. A long message has a view, which is made at its first use
// and detached when the message is settled.

const { check, PolyprocError } = require('./errors.js');
const { constants, halves, native, numbers, status, DELIVERIES, ID, LENGTH, LOAN, OFFSET, ROW } = require('./native.js');
const { TOKEN } = require('./object.js');
const { readInteger, typeError } = require('./options.js');
const { copyLoan, keep } = require('./slab.js');

const SETTLED = -1;

function refuseSettled(what) {
  throw new PolyprocError(status.E_INVALID, `${what}, settled already`);
}

/** Detaches the ArrayBuffer of a view; false if that is impossible because it was transferred. */
function detach(view) {
  if (view.transfer === undefined) return native.loanDetach(view); // Node 20
  try {
    view.transfer(0);
    return true;
  } catch {
    return false;
  }
}

/** Runs before a loan ends: no view may remain over memory that is then reused. */
function endView(view, what) {
  if (view === undefined || detach(view)) return;
  throw new PolyprocError(status.E_INVALID, `${what}, whose ArrayBuffer was transferred and is in use elsewhere`);
}

class Message {
  #loan;
  #bytes;
  #view; // the ArrayBuffer of a long one
  #memory; // where a short one was copied to, and
  #offset;
  #low; // the halves of its id: a BigInt for each message would cost as much as the rest
  #high;

  constructor(token, codec, at) {
    if (token !== TOKEN) throw new TypeError('use queue.take');
    this.#loan = numbers[at + LOAN];
    this._codec = codec;
    this.length = numbers[at + LENGTH];
    this.deliveries = numbers[at + DELIVERIES];
    this.#low = halves[2 * (at + ID)];
    this.#high = halves[2 * (at + ID) + 1];
    this.#offset = numbers[at + OFFSET];
    this.#memory = this.#offset < 0 ? undefined : keep(this.#offset, this.length);
    this.#bytes = undefined;
    this.#view = undefined;
  }

  get id() {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  get settled() {
    return this.#loan === SETTLED;
  }

  get data() {
    if (this.#loan === SETTLED) refuseSettled('data of a message');
    if (this.#isShort()) return this.#copy();
    if (this.#bytes === undefined) {
      this.#view = native.loanView(this.#loan);
      this.#bytes = this.#view === undefined ? copyLoan(this.#loan, this.length) : Buffer.from(this.#view);
    }
    return this.#bytes;
  }

  get value() {
    if (this.#loan === SETTLED) refuseSettled('value of a message');
    if (this.#isShort()) return this._codec.decode(this.#copy());
    return this._codec.decode(copyLoan(this.#loan, this.length));
  }

  #isShort() {
    return this.length <= constants.COPY_LIMIT;
  }

  /** The native side copied the message when it was taken, unless the slab had no room for it. */
  #copy() {
    if (this.#bytes === undefined && this.#memory !== undefined) {
      this.#bytes = Buffer.from(this.#memory, this.#offset, this.length);
    } else if (this.#bytes === undefined) {
      this.#bytes = copyLoan(this.#loan, this.length);
    }
    return this.#bytes;
  }

  #end() {
    const loan = this.#loan;
    if (loan === SETTLED) refuseSettled('message');
    endView(this.#view, 'message');
    this.#loan = SETTLED;
    return loan;
  }

  /**
   * A stopped peer prevented the settling: the loan stays. The view of a long message is made anew.
   */
  #keep(loan) {
    this.#loan = loan;
    if (this.#view !== undefined) this.#view = this.#bytes = undefined;
  }

  #settle(how, what) {
    const loan = this.#end();
    const result = how(loan);
    if (result === status.E_TIMEOUT) this.#keep(loan);
    check(result, what);
  }

  done() {
    this.#settle(native.loanDone, 'done');
  }

  /** Settles several messages with one native call for many of them. */
  static doneMany(messages) {
    if (!Array.isArray(messages)) throw typeError('messages', 'an array of messages', messages);
    for (let at = 0; at < messages.length; ) {
      const batch = [];
      try {
        while (batch.length < constants.BATCH_MAX && at < messages.length) {
          const message = messages[at++];
          const loan = message.#end();
          numbers[batch.length * ROW + LOAN] = loan;
          batch.push(message);
        }
      } finally {
        const result = native.loansDone(batch.length); // also those before one that was settled already
        if (result === status.E_TIMEOUT) {
          batch.forEach((message, row) => {
            const loan = numbers[row * ROW + LOAN];
            if (loan >= 0) message.#keep(loan);
          });
        }
        check(result, 'done');
      }
    }
  }

  return() {
    this.#settle(native.loanReturn, 'return');
  }
}
if (Symbol.dispose) {
  Message.prototype[Symbol.dispose] = function () {
    if (!this.settled) this.return();
  };
}

class Slot {
  #loan;
  #view; // undefined: its data is a copy

  constructor(token, queue, loan, length) {
    if (token !== TOKEN) throw new TypeError('use queue.reserve');
    this.#loan = loan;
    this._queue = queue;
    this.length = length;
    this.#view = length > constants.COPY_LIMIT ? native.slotView(loan) : undefined;
    this.data = this.#view === undefined ? Buffer.allocUnsafe(length) : Buffer.from(this.#view);
  }

  get settled() {
    return this.#loan === SETTLED;
  }

  #end() {
    const loan = this.#loan;
    if (loan === SETTLED) refuseSettled('slot');
    endView(this.#view, 'slot');
    this.#loan = SETTLED;
    return loan;
  }

  commit(length = this.length) {
    readInteger(length, 'length', 0, this.length);
    const bytes = this.#view === undefined ? this.data.subarray(0, length) : undefined;
    this.#settle((loan) => native.slotCommit(loan, length, bytes), 'commit');
  }

  abort() {
    this.#settle(native.slotAbort, 'abort');
  }

  #settle(how, what) {
    const loan = this.#end();
    const result = how(loan);
    // A stopped peer prevented the settling: the room and its content stay this slot's.
    if (result === status.E_TIMEOUT) this.#loan = loan;
    check(result, what);
  }
}
if (Symbol.dispose) {
  Slot.prototype[Symbol.dispose] = function () {
    if (!this.settled) this.abort();
  };
}

/** Returns the messages of the first `count` rows. */
function messagesOf(codec, count) {
  const messages = new Array(count);
  for (let i = 0; i < count; i++) messages[i] = new Message(TOKEN, codec, i * ROW);
  return messages;
}

module.exports = { Message, Slot, messagesOf };
