'use strict';

// Starting a process does not wait for it; join does. The event only keeps the lines in order.

const { Event, Process, current } = require('../../../bindings/node');
const { nap, run, running } = require('../../support/example.js');

async function child() {
  await Event.inherited('go').wait();
  const { pid, parentPid } = current();
  console.log(`child ${pid} of parent ${parentPid}`);
  await nap(1);
  console.log(`child ${pid} ends`);
}

async function main() {
  const go = Event.create();
  console.log(`parent ${process.pid}`);
  const started = Process.spawn({ ...running(child), handles: { go } });
  console.log(`parent ${process.pid} has started child ${started.pid}`);
  go.set();
  console.log(`child ${started.pid} exited with ${await started.join()}`);
}

run({ main, child });
