'use strict';

// A daemonic child ends with its parent, in whatever way that ends, and may not have children of
// its own.

const { Event, Process } = require('../../../bindings/node');
const { nap, run, running } = require('../../support/example.js');

async function daemon() {
  const hasSpoken = Event.inherited('hasSpoken');
  try {
    Process.spawn({ argv: ['true'] });
  } catch (error) {
    console.log(`daemon may not have children: ${error.code}`);
  }
  console.log('daemon sleeps for 3 s');
  hasSpoken.set();
  await nap(3);
  console.log('daemon woke up');
}

async function main() {
  const hasSpoken = Event.create();
  Process.spawn({ ...running(daemon), handles: { hasSpoken }, daemon: true });
  await hasSpoken.wait();
  console.log('main ends');
}

run({ main, daemon });
