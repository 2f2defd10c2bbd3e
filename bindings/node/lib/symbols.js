'use strict';

// What the files of the library know of an object that its users do not.

module.exports = {
  // Of the native side. An own property, and one that cannot be cloned: else postMessage would make a dead copy of an
  // object, without an error. An object without a handle has another such property: `_codec`, `_queue`, `_lock`, `_pool`,
  // `_owner`.
  HANDLE: '_handle',
  READINESS: Symbol('readiness'), // its Readiness, with the waits that are tried when its source reports it ready
  THREAD_WAITS: Symbol('threadWaits'), // how many waits a thread of the native side has to do, for each direction
  WAITABLE: Symbol('waitable'), // what waitAny asks of an object
  ROOM: Symbol('room'), // what waitAny asks of a queue that is to be put into
  NAME: Symbol('name'),
  KIND: Symbol('kind'), // of a class: constants.QUEUE, ...
};
