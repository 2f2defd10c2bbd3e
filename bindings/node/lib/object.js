'use strict';

// The common part of all objects: a handle of the native side, and the ways to get one.

const { check, checkMade, PolyprocError } = require('./errors.js');
const { constants, native, status } = require('./native.js');
const { noteReleased } = require('./held.js');
const { NAMES, readBoolean, readInteger, readOptions, readString } = require('./options.js');
const { HANDLE, KIND, NAME, READINESS } = require('./symbols.js');
const { makeWaitable } = require('./wait/waitable.js');

const MODE_MAX = 0o777;
const FD_MAX = 2 ** 31 - 1;

/** Only the library itself makes objects of its classes. */
const TOKEN = Symbol('polyproc');

class SharedObject {
  #closed = false;

  /** `source`: reports when the object is ready; by default its descriptor */
  constructor(token, handle, name, source) {
    if (token !== TOKEN) throw new TypeError(`use ${new.target.name}.create, open or inherited`);
    makeWaitable(this, handle, source);
    this[NAME] = name;
  }

  static open(name) {
    const handle = native.open(this[KIND], readString(name, 'name'));
    return new this(TOKEN, checkMade(handle, `open ${this.name} "${name}"`), name);
  }

  static inherited(name) {
    const handle = native.inherited(this[KIND], readString(name, 'name'));
    return new this(TOKEN, checkMade(handle, `inherited ${this.name} "${name}"`), undefined);
  }

  static fromFd(fd) {
    const handle = native.fromFd(this[KIND], readInteger(fd, 'fd', 0, FD_MAX));
    return new this(TOKEN, checkMade(handle, `${this.name} from descriptor ${fd}`), undefined);
  }

  get name() {
    return this[NAME];
  }

  get closed() {
    return this.#closed;
  }

  close() {
    this.#closed = true;
    noteReleased(this, Infinity);
    this[READINESS].fail(status.E_CLOSED);
    native.close(this[HANDLE]);
  }

  shareFd() {
    return check(native.shareFd(this[HANDLE]), 'shareFd');
  }
}
if (Symbol.dispose) {
  SharedObject.prototype[Symbol.dispose] = SharedObject.prototype.close;
}

/** Returns `{ name, flags, mode }` for the native side. `names`: all options that the class has. */
function readCreate(options, names = NAMES.create) {
  const { name, mode = 0, openOrCreate = false } = readOptions(options, names);
  if (name !== undefined) readString(name, 'name');
  if (name === '') throw new PolyprocError(status.E_INVALID, 'the empty name'); // to C it would be an anonymous object
  return {
    name,
    mode: readInteger(mode, 'mode', 0, MODE_MAX),
    flags: readBoolean(openOrCreate, 'openOrCreate') ? constants.OPEN_OR_CREATE : 0,
  };
}

/** Creates an object of a class without options of its own. */
function createPlain(Class, options) {
  const { name, flags, mode } = readCreate(options);
  const handle = native.createPlain(Class[KIND], name, flags, mode);
  return made(Class, handle, name);
}

/** Returns the object of a new handle; throws if `handle` is a status. */
function made(Class, handle, name) {
  const what = `create ${Class.name}${name === undefined ? '' : ` "${name}"`}`;
  return new Class(TOKEN, checkMade(handle, what), name);
}

module.exports = { SharedObject, TOKEN, createPlain, made, readCreate };
