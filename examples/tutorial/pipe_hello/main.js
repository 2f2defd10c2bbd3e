'use strict';

// A pipe: the child sends a list and closes its end, the parent receives it, then finds the end of
// the file.

const { Connection, Process, pipe } = require('../../../bindings/node');
const { run, running } = require('../../support/example.js');

async function child() {
  const conn = Connection.inherited('conn', { format: 'msgpack' });
  const list = [42, null, 'hello'];
  console.log(`child sends ${JSON.stringify(list)}`);
  await conn.send(list);
  conn.close();
}

async function main() {
  const [parents, childs] = pipe({ format: 'msgpack' });
  const p = Process.spawn({ ...running(child), handles: { conn: childs } });
  // The end of file comes when no process has the child's end any more, and this process has a
  // copy.
  childs.close();
  for await (const list of parents) console.log(`parent gets ${JSON.stringify(list)}`);
  console.log('parent finds the end of the file');
  console.log(`child exited with ${await p.join()}`);
}

run({ main, child });
