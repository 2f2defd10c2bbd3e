import { Queue, unlink } from 'polyproc';

const requests = Queue.create({
  name: 'book.requests', openOrCreate: true, joinable: true, format: 'msgpack',
});
const mine = `book.replies.${process.pid}`;
const replies = Queue.create({ name: mine, format: 'msgpack' });
try {
  const asked = ['who', 'what', 'when'];
  for (const [number, text] of asked.entries()) await requests.put([mine, number, text]);
  const answers = new Map(); // by number: a request of a killed server may be answered twice
  while (answers.size < asked.length) {
    const [number, text] = await replies.get();
    answers.set(number, text);
  }
  for (const [number, text] of asked.entries()) console.log(`${text}: ${answers.get(number)}`);
} finally {
  unlink(mine);
}
