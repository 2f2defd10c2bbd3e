'use strict';

// Ends while its children still run: one that would go on for a second, and a daemon.

const { setTimeout: sleep } = require('node:timers/promises');
const { Process, exitChildren, exitChildrenAtExit } = require('../..');

const how = process.argv[2];
const stdio = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' };
const child = Process.spawn({ argv: ['sleep', how === 'leaves' ? '60' : '1'], ...stdio });
Process.spawn({ argv: ['sleep', '60'], daemon: true, ...stdio });
console.log(child.pid);

async function asks() {
  let over = false;
  const exiting = exitChildren().then(() => (over = true));
  await sleep(20);
  if (!over) console.log('ticks while it waits');
  await exiting;
  console.log('they have ended');
}

if (how === 'leaves') exitChildrenAtExit(false);
if (how === 'asks') asks();
else console.log('main ends');
