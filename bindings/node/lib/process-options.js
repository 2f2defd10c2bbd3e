'use strict';

// The options with which a process and the workers of a pool are started.

const { SharedObject } = require('./object.js');
const { rangeError, readObject, readString, typeError } = require('./options.js');
const { HANDLE } = require('./symbols.js');

function readArgv(argv) {
  if (!Array.isArray(argv)) throw typeError('argv', 'an array of strings', argv);
  if (argv.length === 0) throw rangeError('argv', 'at least the program', 'empty');
  return argv.map((argument, i) => readString(argument, `argv[${i}]`));
}

function readEnv(env) {
  return Object.entries(readObject(env, 'env')).map(([key, value]) => `${key}=${readString(value, `env.${key}`)}`);
}

function readHandles(handles) {
  const objects = Object.entries(readObject(handles, 'handles'));
  for (const [name, object] of objects) {
    if (!(object instanceof SharedObject)) throw typeError(`handles.${name}`, 'an object of polyproc', object);
  }
  return { names: objects.map(([name]) => name), objects: objects.map(([, object]) => object[HANDLE]) };
}

module.exports = { readArgv, readEnv, readHandles };
