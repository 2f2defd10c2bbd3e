'use strict';

const { Barrier } = require('./lib/barrier.js');
const { Condition } = require('./lib/condition.js');
const { Connection, pipe } = require('./lib/connection.js');
const { PolyprocError } = require('./lib/errors.js');
const { Message, Slot } = require('./lib/message.js');
const { Listener, connect } = require('./lib/listener.js');
const { list, unlink } = require('./lib/names.js');
const { native, status } = require('./lib/native.js');
const { Event, Lock, Semaphore } = require('./lib/primitives.js');
const { Pool } = require('./lib/pool.js');
const { Process, activeChildren, current, exitChildren, exitChildrenAtExit } = require('./lib/process.js');
const { Queue } = require('./lib/queue.js');
const { RLock } = require('./lib/rlock.js');
const { Task, TaskError } = require('./lib/task.js');
const { isWorker, runWorker } = require('./lib/worker.js');
const { waitAny } = require('./lib/wait/any.js');

module.exports = {
  Barrier,
  Condition,
  Connection,
  Event,
  Listener,
  Lock,
  Message,
  Pool,
  PolyprocError,
  Process,
  Queue,
  RLock,
  Semaphore,
  Slot,
  Task,
  TaskError,
  activeChildren,
  connect,
  current,
  exitChildren,
  exitChildrenAtExit,
  isWorker,
  list,
  pipe,
  runWorker,
  status,
  unlink,
  version: native.version(),
  waitAny,
};
