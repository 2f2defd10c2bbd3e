import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'polyproc';

const jobs = Queue.create({ name: 'book.jobs', openOrCreate: true, joinable: true });
for (;;) {
  const now = jobs.info();
  const done = now.puts - now.unfinished;
  console.log(`${done} done, ${now.inFlight} in flight, ${now.items} waiting, ${now.redelivered} again`);
  if (now.shutdown) break;
  await sleep(200);
}
