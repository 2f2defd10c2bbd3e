'use strict';

// Runtimes that are not Node, in processes of their own: POLYPROC_RUNTIMES has the command of each,
// one in a line.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const program = path.join(__dirname, 'program.mjs');
const acts = ['import', 'queue', 'long', 'pipe', 'locks', 'process', 'pool', 'exit', 'cloned'];

for (const line of process.env.POLYPROC_RUNTIMES.trim().split('\n')) {
  const [command, ...args] = line.trim().split(' ');
  for (const act of acts) {
    test(`${path.basename(command)}: ${act}`, () => {
      const { status, signal, stdout, stderr } = spawnSync(command, [...args, program, act], { encoding: 'utf8' });
      assert.deepEqual({ stdout, status, signal }, { stdout: 'ok\n', status: act === 'exit' ? 3 : 0, signal: null }, stderr);
    });
  }
}
