'use strict';

// What the files of the library know of an object that its users do not.

module.exports = {
  HANDLE: Symbol('handle'), // of the native side
  LINE: Symbol('line'), // the waits that have a descriptor
  LINES: Symbol('lines'), // how many waits there are that have none, for each direction
  NAME: Symbol('name'),
  KIND: Symbol('kind'), // of a class: constants.QUEUE, ...
};
