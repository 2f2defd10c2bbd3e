'use strict';

// An event as a traffic light: set is green. Cars wait for green however long it takes; police cars
// wait 0.1 s and then go on red. The light turns for ever: it is daemonic, and goes out when main
// ends.

const { Event, Process } = require('../../../bindings/node');
const { finish, nap, run, running, seconds } = require('../../support/example.js');

async function light() {
  const green = Event.inherited('green');
  for (;;) {
    console.log('light: green');
    green.set();
    await nap(0.5);
    green.clear();
    console.log('light: red');
    await nap(0.5);
  }
}

async function car(number) {
  const green = Event.inherited('green');
  console.log(`car ${number} arrives`);
  await green.wait();
  console.log(`car ${number} passes`);
}

async function policeCar(number) {
  const green = Event.inherited('green');
  console.log(`police car ${number} arrives`);
  let color = 'green';
  try {
    await green.wait({ timeout: seconds(0.1) });
  } catch (error) {
    if (error.code !== 'E_TIMEOUT') throw error;
    color = 'red';
  }
  console.log(`police car ${number} passes on ${color}`);
}

async function main() {
  const green = Event.create();
  const handles = { green };
  const policeCars = [];
  for (let i = 0; i < 5; i++) policeCars.push(Process.spawn({ ...running(policeCar, i), handles }));
  await finish(policeCars);

  Process.spawn({ ...running(light), handles, daemon: true });
  const cars = [];
  for (let i = 0; i < 10; i++) {
    cars.push(Process.spawn({ ...running(car, i), handles }));
    await nap(0.3);
  }
  await finish(cars);
  console.log('all cars have passed');
}

run({ main, light, car, policeCar });
