import { setTimeout as sleep } from 'node:timers/promises';
import { Message, Queue } from 'polyproc';

const pause = Number(process.argv[2] ?? 0);
const rows = Queue.create({ name: 'book.rows', openOrCreate: true, joinable: true });
try {
  for (;;) {
    const batch = await rows.takeMany(100); // waits for the first one only
    console.log('writes', batch.length);
    await sleep(1000 * pause); // killed here: the whole batch goes to another writer
    Message.doneMany(batch);
  }
} catch (error) {
  if (error.code !== 'E_SHUTDOWN') throw error;
}
