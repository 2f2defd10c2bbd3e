'use strict';

// The addon, one instance per thread of JavaScript. A call answers with a number, negative when it is a status, and
// says the rest in `rows`: for message i `ROW` numbers from i * ROW on.

// Copies: V8 looks up the properties of an object that was filled by Node-API in a hash table at every use.
const native = { ...require('../build/polyproc.node') };

const ROW = 5;

module.exports = {
  native,
  status: Object.freeze({ ...native.statuses }),
  constants: Object.freeze({ ...native.constants }),
  /** Message i: numbers[i * ROW + LOAN], ... and of its id, from 2 * (i * ROW + ID) on, the halves, the lower first. */
  numbers: new Float64Array(native.rows),
  halves: new Uint32Array(native.rows),
  ROW,
  LOAN: 0,
  OFFSET: 1,
  LENGTH: 2,
  DELIVERIES: 3,
  ID: 4,
};
