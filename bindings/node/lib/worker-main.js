'use strict';

// The program of a worker whose functions are the exports of a module. Pool.create starts it.

const { pathToFileURL } = require('node:url');
const { runWorker } = require('./worker.js');

const [, , format, file] = process.argv;

/** Returns the exports of a module by name; those of a CommonJS module are its `module.exports`. */
function functionsOf(module) {
  const common = typeof module.default === 'object' && module.default !== null ? module.default : {};
  return { ...common, ...module };
}

import(pathToFileURL(file).href)
  .then((module) => runWorker(functionsOf(module), { format }))
  .then(
    () => process.exit(), // also when the module has left a timer or a socket
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
