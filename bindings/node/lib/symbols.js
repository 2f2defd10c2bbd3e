'use strict';

// The properties of an object that only the files of the library use.

module.exports = {
  // The native handle. It is an own property that cannot be cloned: otherwise postMessage would
  // make a dead copy of the object, without an error. An object without a handle has another such
  // property: `_codec`, `_queue`, `_lock`, `_pool`, `_owner`.
  HANDLE: '_handle',
  READINESS: Symbol('readiness'), // its Readiness, with the waits that are tried when its source reports it ready
  THREAD_WAITS: Symbol('threadWaits'), // how many waits a thread of the native side has to do, for each direction
  WAITABLE: Symbol('waitable'), // what waitAny asks of an object
  ROOM: Symbol('room'), // what waitAny asks of a queue that is to be put into
  NAME: Symbol('name'),
  KIND: Symbol('kind'), // of a class: constants.QUEUE, ...
};
