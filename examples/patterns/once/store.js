import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'polyproc';

const [, , folder, pause = 0] = process.argv;
fs.mkdirSync(folder, { recursive: true });
const payments = Queue.create({
  name: 'book.payments', openOrCreate: true, joinable: true, format: 'msgpack',
});
for await (const payment of payments.messages()) {
  const [id, amount] = payment.value;
  const draft = `${folder}/.${id}.${process.pid}`;
  fs.writeFileSync(draft, String(amount));
  // A file for each id, which appears whole: the second time the same file is put in its place.
  const before = fs.existsSync(`${folder}/${id}`);
  fs.renameSync(draft, `${folder}/${id}`);
  console.log(id, before ? 'was paid before' : 'is paid');
  await sleep(1000 * pause); // killed here: the payment comes again
  payment.done();
}
