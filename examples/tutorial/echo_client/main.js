'use strict';

// A client of echo_server, or of any Listener of Python that echoes: sends a list and prints what
// comes back.
//
//     node echo_client/main.js [milliseconds of a second] [address] [key]

const { connect } = require('../../../bindings/node');

const [, , , address = 'tcp://127.0.0.1:6000', authkey = 'Hello World!'] = process.argv;

async function main() {
  const list = '["hello", 88, "World!"]';
  let server;
  try {
    server = await connect(address, { authkey });
  } catch (error) {
    if (error.code !== 'E_AUTH') throw error;
    console.log('refused: the key is wrong');
    return;
  }
  console.log(`sends ${list}`);
  await server.send(Buffer.from(list));
  console.log(`gets ${await server.recv()}`);
  server.close();
}

main();
