// The programs of bindings/node/README.md. With an argument this is the consumer.
import { Pool, Process, Queue } from 'polyproc';

const work = (value) => console.log('works on', value);
function* paths() {
  yield 1;
  yield 2;
}
const report = (result) => console.log('result', result);

async function consume() {
  // a consumer; ends when the queue is shut down and drained
  const jobs = Queue.inherited('jobs');
  for await (const message of jobs.messages()) {
    work(message.value);
    message.done();
  }
}

async function produce() {
  const jobs = Queue.create({ joinable: true, format: 'msgpack' });
  // a worker in Go: polyproc.InheritedValueQueue[Job]("jobs")
  const worker = Process.spawn({ argv: [process.execPath, process.argv[1], 'worker'], handles: { jobs } });

  await jobs.put({ path: '/usr/include/stdio.h', depth: 1 });
  await jobs.join(); // returns also after a worker was killed: another one does its tasks
  jobs.shutdown();
  await worker.join();
}

async function compute() {
  // a pool; calculator.js exports the functions. Workers in Go or C: { argv: ['./worker'] }
  const pool = Pool.create({ worker: new URL('calculator.js', import.meta.url), workers: 4 });
  const nine = await pool.apply('square', 3);
  const squares = await pool.map('square', [1, 2, 3]);
  for await (const result of pool.imapUnordered('analyse', paths())) report(result);
  console.log(nine, squares);
  await pool.terminate();
  pool.free();
}

if (process.argv[2]) await consume();
else {
  await produce();
  await compute();
}
