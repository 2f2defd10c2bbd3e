'use strict';

const { checkMade } = require('./errors.js');
const { KINDS, checkNamed } = require('./explain.js');
const { native } = require('./native.js');
const { readString } = require('./options.js');

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
  checkNamed(native.unlink(readString(name, 'name')), `unlink "${name}"`, name);
}

module.exports = { list, unlink };
