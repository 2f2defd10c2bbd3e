import { Queue } from 'polyproc';

const lines = Queue.create({ name: 'book.lines', openOrCreate: true, joinable: true, maxItems: 3 });
for (let number = 1; number <= 10; number++) {
  for (;;) {
    try {
      await lines.put(Buffer.from(`line ${number}`), { timeout: 500 });
      break;
    } catch (error) {
      if (error.code !== 'E_FULL') throw error;
      // Nobody reads: the choice is the program's, to wait, to drop or to tell.
      console.log(`no room for line ${number}: the consumers are slow, stopped or dead`);
    }
  }
}
console.log('10 lines were put');
await lines.join();
lines.shutdown();
