'use strict';

// A worker that may be killed at any moment, as ../python/tasks.py: `node tasks.js TASKS RESULTS`.

const { Queue } = require('../../../bindings/node');

async function main([from, to]) {
  const tasks = Queue.open(from);
  const results = Queue.open(to);
  for await (const message of tasks.messages()) {
    await results.put(['node', message.value]);
    message.done();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`tasks.js: ${error.message}`);
  process.exitCode = 1;
});
