'use strict';

// A karaoke bar with four rooms and thirteen guests: a semaphore lets four in, and the next when
// one leaves.

const { Process, Semaphore } = require('../../../bindings/node');
const { finish, nap, run, running } = require('../../support/example.js');

const GUESTS = 13;

async function guest(number) {
  const rooms = Semaphore.inherited('rooms');
  await rooms.acquire();
  try {
    console.log(`guest ${number} comes in`);
    await nap(0.5);
    console.log(`guest ${number} goes out`);
  } finally {
    rooms.release();
  }
}

async function main() {
  const rooms = Semaphore.create({ initial: 4 });
  const guests = [];
  for (let i = 0; i < GUESTS; i++) guests.push(Process.spawn({ ...running(guest, i), handles: { rooms } }));
  await finish(guests);
  console.log(`${rooms.value} rooms are free`);
}

run({ main, guest });
