import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'polyproc';

const seconds = Number(process.argv[2] ?? 1); // that a job takes
const jobs = Queue.create({ name: 'book.jobs', openOrCreate: true, joinable: true });
for await (const job of jobs.messages()) {
  console.log(`begins ${job.data}`);
  await sleep(1000 * seconds);
  console.log(`ends ${job.data}`);
  job.done(); // killed before this: another worker gets the job
}
