'use strict';

// The common part of the Node examples, so that each shows only its own subject: the length of a
// second, and children. Node cannot fork, so a child is the same program with an argument that
// names its function.

const { setTimeout: sleep } = require('node:timers/promises');

const [, program, milliseconds = '1000', role = 'main', ...args] = process.argv;
const second = Number(milliseconds);
if (!(second >= 1 && second <= 1e6)) {
  console.error(`usage: node ${program} [milliseconds that stand for a second]`);
  process.exit(2);
}

/** Converts seconds to the milliseconds that timeouts take. */
const seconds = (n) => n * second;

const nap = (n) => sleep(seconds(n));

/**
 * Returns Process.spawn's options for a child that runs a function of this program. The arguments
 * become strings.
 */
const running = (target, ...args) => ({
  argv: [process.execPath, program, milliseconds, target.name, ...args.map(String)],
});

/** Waits for the end of children, all of which must exit with 0. */
async function finish(children) {
  const codes = await Promise.all(children.map((child) => child.join()));
  if (codes.some((code) => code !== 0)) throw new Error(`exit codes ${codes.join(', ')}`);
}

/** Runs this process's function: main, or the one that its parent named. */
const run = (functions) => functions[role](...args);

module.exports = { finish, nap, run, running, seconds };
