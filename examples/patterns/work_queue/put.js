import { Queue, unlink } from 'polyproc';

const jobs = Queue.create({ name: 'book.jobs', openOrCreate: true, joinable: true });
for (let number = 1; number <= 10; number++) await jobs.put(Buffer.from(`page ${number}`));
await jobs.join(); // until each job is done, whoever does it
console.log(`10 jobs are done, ${jobs.info().redelivered} of them were delivered again`);
jobs.shutdown(); // the workers' loops end
unlink('book.jobs');
