'use strict';

// Short messages become Buffers cut out of a slab, as Node's own short Buffers do: one allocation for many. The native
// side fills it; what has been cut out is never written again.

const { Buffer } = require('node:buffer');
const { markAsUntransferable } = require('node:worker_threads');
const { native, numbers, status, LENGTH, OFFSET } = require('./native.js');

const SLAB_BYTES = 64 * 1024;
const OWN_BYTES = SLAB_BYTES / 4; // a longer message has a Buffer of its own

let slab;
let memory; // its ArrayBuffer
let used = 0; // at least that much of it

function renew() {
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  memory = slab.buffer;
  markAsUntransferable(memory);
  native.setSlab(slab);
  used = 0;
}
renew();

/** The memory in which the native side has put a message at `offset`, which nobody else uses from here on. */
function keep(offset, length) {
  used = offset + length;
  return memory;
}

/** The Buffer of such a message. */
function cut(offset, length) {
  return Buffer.from(keep(offset, length), offset, length); // cheaper than subarray
}

/** Before a call that copies to the slab: somebody may have detached it by transferring what was cut out of it. */
function checkSlab() {
  if (slab.length === 0) renew();
}

/** Before a batch: half a slab at least, so that most of it fits. */
function makeRoom() {
  if (used > SLAB_BYTES / 2) renew();
  checkSlab();
}

/**
 * `(handle)`: a get with room for the message wherever it must go: the message, or a negative status; E_TOO_SMALL for one
 * that is longer than `longest`.
 */
function reader(get, getInto, longest = Infinity) {
  return (handle) => {
    checkSlab();
    for (let answer = get(handle); ; ) {
      if (answer >= 0) return cut(numbers[OFFSET], answer);
      if (answer !== status.E_TOO_SMALL) return answer;
      const needed = numbers[LENGTH];
      if (needed > longest) return answer;
      if (needed <= OWN_BYTES) {
        renew();
        answer = get(handle);
      } else {
        // Another consumer may take it meanwhile, and then the next message may be longer still.
        const buffer = Buffer.allocUnsafeSlow(needed);
        answer = getInto(handle, buffer);
        if (answer >= 0) return answer === needed ? buffer : buffer.subarray(0, answer);
      }
    }
  };
}

const getCopy = reader(native.queueGet, native.queueGetInto);

/** A copy of a message that is on loan. */
function copyLoan(loan, length) {
  if (length > OWN_BYTES) {
    const buffer = Buffer.allocUnsafeSlow(length);
    native.loanCopy(loan, buffer);
    return buffer;
  }
  checkSlab();
  let offset = native.loanToSlab(loan);
  if (offset < 0) {
    renew();
    offset = native.loanToSlab(loan);
  }
  return cut(offset, length);
}

module.exports = { checkSlab, copyLoan, cut, getCopy, keep, makeRoom, reader };
