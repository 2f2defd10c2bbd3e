import { Semaphore } from 'polyproc';

const calls = Number(process.argv[2] ?? 20);
const tickets = Semaphore.create({ name: 'book.tickets', openOrCreate: true, initial: 0, maximum: 5 });
for (let call = 1; call <= calls; call++) {
  await tickets.acquire(); // one ticket for each call, in whichever process and language
  console.log('call', call);
}
