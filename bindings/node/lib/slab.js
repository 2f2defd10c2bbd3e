'use strict';

// Short messages become Buffers cut out of a slab, as Node's own short Buffers do: one allocation
// serves many. The native side fills the slab and never writes again to a part that was cut out.

const { Buffer } = require('node:buffer');
const { markAsUntransferable } = require('node:worker_threads');
const { native, numbers, status, LENGTH, OFFSET } = require('./native.js');

const SLAB_BYTES = 64 * 1024;
const OWN_BYTES = SLAB_BYTES / 4; // a longer message has a Buffer of its own

/** The class of Node's Buffers. `Buffer.from` makes one too, after a native call about its argument. */
const Part = Buffer[Symbol.species];
const isBufferClass = new Part(new ArrayBuffer(2), 1, 1) instanceof Buffer && Part !== Buffer;

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

/** Returns the memory at `offset` where the native side has put a message. It is not used again. */
function keep(offset, length) {
  used = offset + length;
  return memory;
}

/** Returns that memory as a Buffer. */
function cut(offset, length) {
  const kept = keep(offset, length);
  return isBufferClass ? new Part(kept, offset, length) : Buffer.from(kept, offset, length);
}

/**
 * Runs before a call that copies to the slab: a program may have detached it by transferring a
 * Buffer.
 */
function checkSlab() {
  if (slab.length === 0) renew();
}

/** Runs before a batch: makes at least half a slab free, so that most of the batch fits. */
function makeRoom() {
  if (used > SLAB_BYTES / 2) renew();
  checkSlab();
}

/**
 * Returns `(handle)`: a get that returns the message or a negative status. It allocates a buffer
 * for a message that the slab has no room for; a message longer than `longest` is E_TOO_SMALL.
 */
function reader(get, getInto, longest = Infinity) {
  return (handle) => {
    checkSlab();
    for (let answer = get(handle); ; ) {
      if (answer === undefined) return cut(numbers[OFFSET], numbers[LENGTH]);
      if (answer !== status.E_TOO_SMALL) return answer;
      const needed = numbers[LENGTH];
      if (needed > longest) return answer;
      if (needed <= OWN_BYTES) {
        renew();
        answer = get(handle);
      } else {
        // Another consumer may take the message first, and the next one may be longer still.
        const buffer = Buffer.allocUnsafeSlow(needed);
        answer = getInto(handle, buffer);
        if (answer >= 0) return answer === needed ? buffer : buffer.subarray(0, answer);
      }
    }
  };
}

/** Returns a copy of a message on loan. */
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

module.exports = { checkSlab, copyLoan, cut, keep, makeRoom, reader };
