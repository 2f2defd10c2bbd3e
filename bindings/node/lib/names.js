'use strict';

const { check, checkMade } = require('./errors.js');
const { constants, native, status } = require('./native.js');
const { readString } = require('./options.js');

const KINDS = new Map(
  ['LOCK', 'RLOCK', 'SEMAPHORE', 'EVENT', 'CONDITION', 'BARRIER', 'QUEUE'].map((key) => [constants[key], key.toLowerCase()]),
);
const PREFIX = 'polyproc.'; // of the files in /dev/shm

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
  const answer = native.unlink(readString(name, 'name'));
  const isFile = answer === status.E_NOT_FOUND && name.startsWith(PREFIX);
  check(answer, `unlink "${name}"${isFile ? `, whose name is "${name.slice(PREFIX.length)}" perhaps` : ''}`);
}

module.exports = { list, unlink };
