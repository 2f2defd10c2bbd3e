'use strict';

// Several items as one message between a pool and its workers: for each its length, 4 bytes in this
// machine's byte order, and its bytes, padded to a multiple of 4.

const { endianness } = require('node:os');
const { PolyprocError } = require('./errors.js');
const { status } = require('./native.js');

const HEADER = 4;
const isLittle = endianness() === 'LE';

const padded = (length) => Math.ceil(length / 4) * 4;

function pack(items) {
  const chunk = Buffer.alloc(items.reduce((length, item) => length + HEADER + padded(item.byteLength), 0));
  let at = 0;
  for (const item of items) {
    if (isLittle) chunk.writeUInt32LE(item.byteLength, at);
    else chunk.writeUInt32BE(item.byteLength, at);
    const bytes = ArrayBuffer.isView(item) ? new Uint8Array(item.buffer, item.byteOffset, item.byteLength) : new Uint8Array(item);
    chunk.set(bytes, at + HEADER);
    at += HEADER + padded(item.byteLength);
  }
  return chunk;
}

function unpack(chunk) {
  const items = [];
  for (let at = 0; at < chunk.length; ) {
    const length = at + HEADER > chunk.length ? NaN : isLittle ? chunk.readUInt32LE(at) : chunk.readUInt32BE(at);
    const next = at + HEADER + padded(length);
    if (!(next <= chunk.length)) throw new PolyprocError(status.E_CORRUPT, 'a chunk of items');
    items.push(chunk.subarray(at + HEADER, at + HEADER + length));
    at = next;
  }
  return items;
}

module.exports = { pack, unpack };
