'use strict';

const { PolyprocError, check } = require('./lib/errors.js');
const { Message, Slot } = require('./lib/message.js');
const { native, status } = require('./lib/native.js');
const { readString } = require('./lib/options.js');
const { Event, Lock, Semaphore } = require('./lib/primitives.js');
const { Process, activeChildren, current } = require('./lib/process.js');
const { Queue } = require('./lib/queue.js');

function unlink(name) {
  check(native.unlink(readString(name, 'name')), `unlink "${name}"`);
}

module.exports = {
  Event,
  Lock,
  Message,
  PolyprocError,
  Process,
  Queue,
  Semaphore,
  Slot,
  activeChildren,
  current,
  status,
  unlink,
  version: native.version(),
};
