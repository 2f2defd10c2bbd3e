'use strict';

// An event is a flag that one process sets and any number of others wait for.

const { Event, Process } = require('../../../bindings/node');
const { finish, nap, run, running } = require('../../support/example.js');

async function child() {
  const event = Event.inherited('event');
  await nap(1);
  console.log('child sets the event');
  event.set();
}

async function main() {
  const event = Event.create();
  console.log(`is_set: ${event.isSet}`);
  console.log('look here!');
  const setter = Process.spawn({ ...running(child), handles: { event } });
  await event.wait();
  console.log('give me!!');
  console.log(`is_set: ${event.isSet}`);
  await finish([setter]);
}

run({ main, child });
