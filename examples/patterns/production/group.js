import { Queue } from 'polyproc';

const reports = Queue.create({ name: 'book.reports', openOrCreate: true, mode: 0o660 });
await reports.put(Buffer.from('from Node'));
console.log(reports.length, 'waiting');
