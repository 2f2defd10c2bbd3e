'use strict';

// The messages of the cross-language test, in halves of 32 bits: BigInt would take minutes for half
// a gigabyte.

const LONGEST = 100_000;

/** Upper half of the product of two unsigned 32-bit numbers. */
function mulHigh(a, b) {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const cross = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/**
 * splitmix64; `low` and `high` are the halves of the last number of `next`, as signed 32-bit
 * integers.
 */
class SplitMix64 {
  constructor(state) {
    this.stateLow = Number(BigInt.asIntN(32, state));
    this.stateHigh = Number(BigInt.asIntN(32, state >> 32n));
    this.low = 0;
    this.high = 0;
  }

  next() {
    const sum = (this.stateLow >>> 0) + 0x7f4a7c15; // state += 0x9E3779B97F4A7C15
    let low = sum | 0;
    let high = (this.stateHigh + 0x9e3779b9 + (sum > 0xffffffff ? 1 : 0)) | 0;
    this.stateLow = low;
    this.stateHigh = high;
    low ^= (low >>> 30) | (high << 2); // z ^= z >> 30
    high ^= high >>> 30;
    high = (mulHigh(low, 0x1ce4e5b9) + Math.imul(low, 0xbf58476d) + Math.imul(high, 0x1ce4e5b9)) | 0;
    low = Math.imul(low, 0x1ce4e5b9); // z *= 0xBF58476D1CE4E5B9
    low ^= (low >>> 27) | (high << 5); // z ^= z >> 27
    high ^= high >>> 27;
    high = (mulHigh(low, 0x133111eb) + Math.imul(low, 0x94d049bb) + Math.imul(high, 0x133111eb)) | 0;
    low = Math.imul(low, 0x133111eb); // z *= 0x94D049BB133111EB
    this.low = low ^ ((low >>> 31) | (high << 1)); // z ^= z >> 31
    this.high = high ^ (high >>> 31);
  }
}

/** Writes message i of the seed into `bytes`, and returns its length. */
function messageInto(bytes, seed, i) {
  const random = new SplitMix64(BigInt.asUintN(64, seed + BigInt(i)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  random.next();
  const drawn = (BigInt(random.high >>> 0) << 32n) | BigInt(random.low >>> 0);
  const length = Number(drawn % BigInt(LONGEST + 1));
  view.setUint32(0, i, true);
  view.setUint32(4, Math.floor(i / 2 ** 32), true);
  let at = 8;
  for (; at + 8 <= length; at += 8) {
    random.next();
    view.setInt32(at, random.low, true);
    view.setInt32(at + 4, random.high, true);
  }
  if (at < length) {
    random.next();
    const last = new DataView(new ArrayBuffer(8));
    last.setInt32(0, random.low, true);
    last.setInt32(4, random.high, true);
    for (let k = 0; at < length; k++) bytes[at++] = last.getUint8(k);
  }
  return length;
}

/** FNV-1a with 64 bits; its prime is 2^40 + 0x1b3. */
class Fnv1a64 {
  low = 0x84222325;
  high = 0xcbf29ce4;

  add(bytes) {
    let { low, high } = this;
    for (let i = 0; i < bytes.length; i++) {
      low ^= bytes[i];
      const p = Math.imul(low & 0xffff, 0x1b3);
      const q = Math.imul(low >>> 16, 0x1b3) + (p >>> 16);
      high = (Math.imul(high, 0x1b3) + (low << 8) + (q >>> 16)) | 0;
      low = (q << 16) | (p & 0xffff);
    }
    this.low = low;
    this.high = high;
  }

  hex() {
    return [this.high, this.low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

module.exports = { Fnv1a64, LONGEST, SplitMix64, messageInto };
