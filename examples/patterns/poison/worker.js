import { Queue } from 'polyproc';

const images = Queue.create({ name: 'book.images', openOrCreate: true, joinable: true, maxDeliveries: 3 });
try {
  for (;;) {
    const image = await images.take({ timeout: 100 });
    const text = image.data.toString();
    if (text === 'broken') process.kill(process.pid, 'SIGKILL'); // as if a decoder ran into a bug
    console.log('decoded', text);
    image.done();
  }
} catch (error) {
  if (error.code !== 'E_EMPTY') throw error;
  console.log('nothing left');
}
