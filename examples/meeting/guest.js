'use strict';

// A script in Node that orders from a service in Go (kitchen.go) by name. Either may be started
// first.
//
//     node guest.js [milliseconds of a second] [name]

const { Queue } = require('../../bindings/node');

const [, , , name = 'kitchen'] = process.argv;

async function main() {
  const orders = Queue.create({ name: `${name}.orders`, format: 'msgpack', openOrCreate: true });
  const dishes = Queue.create({ name: `${name}.dishes`, format: 'msgpack', openOrCreate: true });
  console.log('guest comes in');

  const list = [{ filling: 'pork', buns: 3 }, { filling: 'leek', buns: 2 }];
  for (const order of list) {
    console.log(`guest orders ${order.buns} with ${order.filling}`);
    await orders.put(order);
  }
  for (const _ of list) console.log(`guest gets ${await dishes.get()}`);
  orders.shutdown();
  console.log('guest leaves');
}

main();
