'use strict';

// A server that echoes. A client with the key is served until it leaves, then the next one; a
// client without the key is refused and delays no other. Its clients are the programs of
// echo_client, and any of Python:
//
//     from multiprocessing.connection import Client
//     conn = Client(('127.0.0.1', port), authkey=b'Hello World!')
//
//     node echo_server/main.js [milliseconds of a second] [address] [how many clients, 0: for ever]

const { Listener } = require('../../../bindings/node');

const [, , , where = 'tcp://127.0.0.1:0', clients = '0'] = process.argv;

async function main() {
  const listener = Listener.create(where, { authkey: 'Hello World!' });
  console.log(`listening at ${listener.address}`);
  let n = 0;
  for await (const client of listener) {
    console.log(`client ${++n} comes`);
    for await (const message of client) await client.send(message);
    console.log(`client ${n} leaves`);
    client.close();
    if (n === Number(clients)) listener.close();
  }
}

main();
