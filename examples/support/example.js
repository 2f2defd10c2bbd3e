'use strict';

// What the Node examples share, so that each shows only its own subject: how long a second is, and children.
// Node cannot fork, so a child is the same program, told by an argument which function is its own.

const { setTimeout: sleep } = require('node:timers/promises');

const [, program, milliseconds = '1000', role = 'main', ...args] = process.argv;
const second = Number(milliseconds);
if (!(second >= 1 && second <= 1e6)) {
  console.error(`usage: node ${program} [milliseconds that stand for a second]`);
  process.exit(2);
}

/** So many seconds in milliseconds, which is what timeouts are given in. */
const seconds = (n) => n * second;

const nap = (n) => sleep(seconds(n));

/** What Process.spawn needs for a child that runs a function of this program; its arguments arrive as strings. */
const running = (target, ...args) => ({
  argv: [process.execPath, program, milliseconds, target.name, ...args.map(String)],
});

/** Waits for the end of children, all of which must exit with 0. */
async function finish(children) {
  const codes = await Promise.all(children.map((child) => child.join()));
  if (codes.some((code) => code !== 0)) throw new Error(`exit codes ${codes.join(', ')}`);
}

/** Runs the function that is this process's own: main, or what its parent named. */
const run = (functions) => functions[role](...args);

module.exports = { finish, nap, run, running, seconds };
