import { setTimeout as sleep } from 'node:timers/promises';
import { Lock } from 'polyproc';

const seconds = Number(process.argv[2] ?? 10);
const office = Lock.create({ name: 'book.leader', openOrCreate: true });
await office.hold(async ({ ownerDied }) => {
  console.log(`${process.pid} leads${ownerDied ? ', the last leader died' : ''}`);
  await sleep(1000 * seconds);
});
