import { Queue } from 'polyproc';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
const queue = Queue.create({ name: 'book.stop', openOrCreate: true, joinable: true });
try {
  for await (const message of queue.messages({ signal: stop.signal })) {
    console.log(`works on ${message.data}`);
    message.done();
  }
} catch (error) {
  if (error !== stop.signal.reason) throw error;
}
console.log('ends');
