import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'polyproc';

const pause = Number(process.argv[2] ?? 0.1);
const how = { openOrCreate: true, format: 'msgpack' };
const numbers = Queue.create({ name: 'book.numbers', joinable: true, ...how });
const squares = Queue.create({ name: 'book.squares', ...how });
for await (const number of numbers.messages()) {
  await squares.put([number.value, number.value ** 2]);
  console.log('squared', number.value);
  await sleep(1000 * pause); // killed here: the number comes again, and its square too
  number.done();
}
