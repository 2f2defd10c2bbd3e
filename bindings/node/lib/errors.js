'use strict';

const { getSystemErrorMap } = require('node:util');
const { native, status } = require('./native.js');

const names = new Map(Object.entries(status).map(([name, code]) => [code, name]));

const ERRNO_BASE = -1000; // a status below carries an errno: -(1000 + errno)

function nameOf(code) {
  if (code >= ERRNO_BASE) return names.get(code) ?? 'E_INTERNAL';
  return systemError(code)?.[0] ?? 'E_INTERNAL';
}

/** Returns the name and the text of an errno. */
function systemError(code) {
  return getSystemErrorMap().get(code - ERRNO_BASE);
}

function textOf(code) {
  return (code < ERRNO_BASE ? systemError(code)?.[1] : undefined) ?? native.strerror(code);
}

// The statuses for which the library has a sentence. The other statuses need none.
const EXPLAINED = new Set([
  status.E_INVALID,
  status.E_MISMATCH,
  status.E_NO_MEMORY,
  status.E_PERMISSION,
  status.E_LIMIT,
  status.E_UNSUPPORTED,
]);

/** Returns the library's sentence about the native call that has just returned `code`. */
function detailOf(code) {
  return EXPLAINED.has(code) || code < ERRNO_BASE ? native.detail() : undefined;
}

class PolyprocError extends Error {
  constructor(code, what, options) {
    const detail = options?.detail;
    super(`${what}: ${textOf(code)}${detail === undefined ? '' : `: ${detail}`}`, options);
    this.status = code;
    this.code = nameOf(code);
    this.detail = detail;
  }
}
Object.defineProperty(PolyprocError.prototype, 'name', { value: 'PolyprocError', configurable: true, writable: true });

/** For a call that returns a status or a positive number. */
function check(answer, what) {
  if (answer < 0) throw new PolyprocError(answer, what, { detail: detailOf(answer) });
  return answer;
}

/** For a call that returns an object or a status. */
function checkMade(made, what) {
  if (typeof made === 'number') throw new PolyprocError(made, what, { detail: detailOf(made) });
  return made;
}

module.exports = { PolyprocError, check, checkMade };
