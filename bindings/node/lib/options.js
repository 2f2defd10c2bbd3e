'use strict';

// Reading arguments: a wrong type is a TypeError, a number out of range a RangeError, before
// anything is done.

const NAMES = require('./option-names.js');

function typeError(name, expected, value) {
  const error = new TypeError(`${name} must be ${expected}, not ${value === null ? 'null' : typeof value}`);
  error.code = 'ERR_INVALID_ARG_TYPE';
  return error;
}

function rangeError(name, expected, value) {
  const error = new RangeError(`${name} must be ${expected}, not ${value}`);
  error.code = 'ERR_OUT_OF_RANGE';
  return error;
}

function readObject(value, name = 'options') {
  if (typeof value !== 'object' || value === null) throw typeError(name, 'an object', value);
  return value;
}

/** `names`: the options of option-names.js that the function has */
function readOptions(options, names) {
  for (const name in readObject(options)) {
    if (!names.includes(name)) throw unknownOption(name, names);
  }
  return options;
}

function unknownOption(name, names) {
  const error = new TypeError(`there is no option "${name}" here, but ${names.join(', ')}`);
  error.code = 'ERR_INVALID_ARG_VALUE';
  return error;
}

function readString(value, name) {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  return value;
}

function readBoolean(value, name) {
  if (typeof value !== 'boolean') throw typeError(name, 'a boolean', value);
  return value;
}

function readFunction(value, name) {
  if (typeof value !== 'function') throw typeError(name, 'a function', value);
  return value;
}

function readInteger(value, name, min = 0, max = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw rangeError(name, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

const NANOSECONDS = 1e6; // of a millisecond

/** Reads a number of milliseconds above 0; returns nanoseconds. */
function readMilliseconds(value, name) {
  if (typeof value !== 'number') throw typeError(name, 'a number of milliseconds', value);
  if (!(value > 0)) throw rangeError(name, 'above 0', value);
  return Math.min(Math.ceil(value * NANOSECONDS), Number.MAX_SAFE_INTEGER);
}

const FOREVER = Object.freeze({ timeout: Infinity, signal: undefined });

/**
 * Reads `{ timeout, signal }` of a call that waits; throws the signal's reason if it is already
 * aborted.
 */
function readWait(options, names = NAMES.wait) {
  if (options === undefined) return FOREVER;
  const { timeout = Infinity, signal } = readOptions(options, names);
  if (typeof timeout !== 'number') throw typeError('timeout', 'a number of milliseconds', timeout);
  if (Number.isNaN(timeout)) throw rangeError('timeout', 'a number of milliseconds', timeout);
  if (signal !== undefined) {
    // As Node does: accept an AbortSignal of another realm too.
    if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
      throw typeError('signal', 'an AbortSignal', signal);
    }
    if (signal.aborted) throw signal.reason;
  }
  return { timeout, signal };
}

module.exports = {
  NAMES,
  readBoolean,
  readFunction,
  readInteger,
  readMilliseconds,
  readObject,
  readOptions,
  readString,
  readWait,
  rangeError,
  typeError,
};
