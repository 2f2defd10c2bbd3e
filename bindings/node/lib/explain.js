'use strict';

// Why a call failed, where this side knows more than the status says. Only the way of an error comes here.

const { PolyprocError, detailOf } = require('./errors.js');
const { constants, native, status } = require('./native.js');

const KINDS = new Map(
  ['LOCK', 'RLOCK', 'SEMAPHORE', 'EVENT', 'CONDITION', 'BARRIER', 'QUEUE'].map((key) => [constants[key], key.toLowerCase()]),
);
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const PREFIX = 'polyproc.'; // of a name's file

function why(code, name, kind, wanted) {
  if (name === undefined) return '';
  if (code === status.E_INVALID && !NAME.test(name)) {
    return ', whose name is not 1 to 200 of A-Z a-z 0-9 . _ - without a dot first';
  }
  if (code === status.E_NOT_FOUND && name.startsWith(PREFIX)) return `, whose name is "${name.slice(PREFIX.length)}" perhaps`;
  return code === status.E_MISMATCH ? difference(name, kind, wanted) : '';
}

/** Between the object that has the name and the one that was wanted. */
function difference(name, kind, wanted) {
  const entries = native.list();
  const found = Array.isArray(entries) ? entries.find(([other]) => other === name)?.[1] : undefined;
  if (found === undefined) return '';
  if (found !== kind) return `, which is a ${KINDS.get(found) ?? 'different object'}`;
  return kind === constants.QUEUE && wanted !== undefined ? queueDifference(name, wanted) : '';
}

function queueDifference(name, wanted) {
  const handle = native.open(constants.QUEUE, name);
  if (typeof handle === 'number') return '';
  const info = native.queueInfo(handle);
  native.close(handle);
  const shown = (value) => (typeof value === 'string' ? `"${value}"` : value);
  const all = Object.keys(wanted).filter((key) => wanted[key] !== info[key]);
  return all.map((key) => `, whose ${key} is ${shown(info[key])}, not ${shown(wanted[key])}`).join('');
}

/** As checkMade and check, for an object with a name. `wanted`: the options that it must have. */
function checkNamed(made, what, name, kind, wanted) {
  if (typeof made === 'number' && made < 0) {
    const detail = detailOf(made); // before the calls that `why` makes
    throw new PolyprocError(made, `${what}${why(made, name, kind, wanted)}`, { detail });
  }
  return made;
}

module.exports = { KINDS, checkNamed };
