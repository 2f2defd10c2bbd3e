'use strict';

// One side of a connection over a socket, as ../c/listener.c: `node listener.js listen|connect
// ADDRESS`.

const { Listener, connect } = require('../../../bindings/node');

const OPTIONS = { authkey: 'secret' };
const LENGTHS = [0, 1, 1000, 65536, 1_000_000];

async function listen(address) {
  const listener = Listener.create(address, OPTIONS);
  console.log(listener.address);
  const client = await listener.accept();
  for await (const message of client) await client.send(message);
  client.close();
  listener.close();
}

async function connectTo(address) {
  const connection = await connect(address, OPTIONS);
  for (const length of LENGTHS) {
    const message = Buffer.from({ length }, (_, at) => length + at);
    const echo = connection.recv();
    await connection.send(message);
    if (!(await echo).equals(message)) throw new Error(`${length} bytes came back otherwise`);
  }
  connection.close();
  console.log('ok');
}

const [role, address] = process.argv.slice(2);
(role === 'listen' ? listen : connectTo)(address).catch((error) => {
  console.error(`listener.js: ${error.message}`);
  process.exitCode = 1;
});
