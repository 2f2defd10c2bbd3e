'use strict';

// The addon, one instance per thread of JavaScript. A call returns a number, negative if it is a
// status, and writes further results to `rows`: `ROW` numbers for message i, from i * ROW on.

const { addon } = require('./addon.js');

// Copies the functions: V8 uses a hash table for each look-up in an object that Node-API has
// filled.
const native = { ...addon };

const ROW = 5;

module.exports = {
  native,
  status: Object.freeze({ ...native.statuses }),
  constants: Object.freeze({ ...native.constants }),
  /**
   * Message i: numbers[i * ROW + LOAN], ...; the halves of its id, the lower first, from 2 * (i *
   * ROW + ID) on.
   */
  numbers: new Float64Array(native.rows),
  halves: new Uint32Array(native.rows),
  ROW,
  LOAN: 0,
  OFFSET: 1,
  LENGTH: 2,
  DELIVERIES: 3,
  ID: 4,
};
