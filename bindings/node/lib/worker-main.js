'use strict';

// The program of a worker that is a module of Node: its exports are the functions. Started by Pool.create.

const { pathToFileURL } = require('node:url');
const { runWorker } = require('./worker.js');

const [, , format, file] = process.argv;

/** What a module exports by name; of a CommonJS one that is its `module.exports`. */
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
