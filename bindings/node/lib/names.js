'use strict';

const { check, checkMade } = require('./errors.js');
const { constants, native } = require('./native.js');
const { readString } = require('./options.js');

const KINDS = new Map(
  Object.entries({
    LOCK: 'lock',
    RLOCK: 'rlock',
    SEMAPHORE: 'semaphore',
    EVENT: 'event',
    CONDITION: 'condition',
    BARRIER: 'barrier',
    QUEUE: 'queue',
  }).map(([key, kind]) => [constants[key], kind]),
);

function list() {
  return checkMade(native.list(), 'list').map(([name, kind, mode, processes, waiting, bytes]) => ({
    name,
    kind: KINDS.get(kind) ?? 'unknown',
    mode,
    processes,
    waiting,
    bytes,
  }));
}

function unlink(name) {
  check(native.unlink(readString(name, 'name')), `unlink "${name}"`);
}

module.exports = { list, unlink };
