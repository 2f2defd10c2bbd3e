'use strict';

// What the files of the library know of an object that its users do not.

module.exports = {
  // Of the native side. An own property, and one that cannot be cloned: else postMessage would make a dead copy of an
  // object, without an error. What has no handle has another such property: `_codec`, `_queue`, `_lock`, `_pool`, `_owner`.
  HANDLE: '_handle',
  LINE: Symbol('line'), // the waits that have a descriptor
  LINES: Symbol('lines'), // how many waits there are that have none, for each direction
  NAME: Symbol('name'),
  KIND: Symbol('kind'), // of a class: constants.QUEUE, ...
};
