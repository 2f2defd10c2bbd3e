// Compiled, never run: the types say what the objects do, and refuse what they do not.

import {
  Barrier,
  Condition,
  Connection,
  Event,
  Listener,
  Lock,
  Message,
  Pool,
  PolyprocError,
  Process,
  Queue,
  RLock,
  Semaphore,
  Slot,
  Task,
  TaskError,
  activeChildren,
  connect,
  current,
  exitChildren,
  exitChildrenAtExit,
  isWorker,
  list,
  pipe,
  runWorker,
  status,
  unlink,
  version,
  waitAny,
} from 'polyproc';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

async function queues(signal: AbortSignal): Promise<void> {
  const bytes = Queue.create({ maxItems: 3, joinable: true });
  same<typeof bytes, Queue>(true);
  const put: boolean = bytes.tryPut(Buffer.from('x'));
  await bytes.put(new Uint16Array(3), { timeout: 100, signal });
  const count: number = await bytes.putMany([new ArrayBuffer(3), new DataView(new ArrayBuffer(1))]);
  const maybe = bytes.tryGet();
  same<typeof maybe, Buffer | undefined>(true);
  const got: Buffer = await bytes.get({ timeout: 5 });
  const many: Buffer[] = await bytes.getMany(10);
  // @ts-expect-error a string is not bytes
  bytes.tryPut('text');
  // @ts-expect-error timeouts are numbers
  await bytes.get({ timeout: '5' });
  // @ts-expect-error only the library makes queues
  new Queue();

  const named = Queue.create({ format: 'bytes' });
  same<typeof named, Queue>(true);

  interface Job {
    path: string;
  }
  const jobs = Queue.create<Job>({ format: 'msgpack' });
  await jobs.put({ path: '/usr/include' });
  // @ts-expect-error not a job
  await jobs.put({ file: 'x' });
  const job: Job = await jobs.get();
  for await (const next of jobs) same<typeof next, Job>(true);
  for await (const message of jobs.messages({ signal })) {
    const value: Job = message.value;
    const { data, id, deliveries } = message;
    same<typeof data, Buffer>(true);
    same<typeof id, bigint>(true);
    same<typeof deliveries, number>(true);
    message.done();
    void value;
  }
  const opened = Queue.open<Job, Job>('name');
  const inherited = Queue.inherited<string>('name');
  const text: string = await inherited.get();
  {
    using taken: Message<Job> = await opened.take();
    using slot: Slot = await bytes.reserve(100);
    slot.data.fill(1);
    slot.commit(50);
    // @ts-expect-error the id is not to be changed
    taken.id = 5n;
  }
  jobs.shutdown({ immediate: true });
  const { inFlight, joinable }: { inFlight: number; joinable: boolean } = jobs.info();
  await jobs.join();
  jobs.close();
  void [put, count, maybe, got, many, job, text, inFlight, joinable];
}

async function primitives(): Promise<void> {
  const lock = Lock.create({ name: 'lock', mode: 0o660, openOrCreate: true });
  {
    using held = await lock.acquire();
    const died: boolean = held.ownerDied;
    void died;
  }
  const result = await lock.hold(async ({ ownerDied }) => String(ownerDied));
  same<typeof result, string>(true);
  const semaphore = Semaphore.create({ initial: 4, maximum: 4 });
  await semaphore.acquire({ timeout: 1 });
  semaphore.release(2);
  const event = Event.open('event');
  await event.wait();
  // @ts-expect-error a property, not a method
  event.isSet();
  using other = Event.fromFd(event.shareFd());
  unlink('lock');
  void other;
}

async function meetings(signal: AbortSignal): Promise<void> {
  const rlock = RLock.create();
  {
    using held = await rlock.acquire({ owner: 5, timeout: 1 });
    rlock.release({ owner: 5 });
    void held;
  }
  const depth: number = await rlock.hold(() => rlock.depth);
  const owned = Semaphore.create({ initial: 1, owned: true });
  const lock = Lock.create();
  const condition = Condition.create({ name: 'condition' });
  const { ownerDied } = await condition.wait(lock, { timeout: 5, signal });
  await condition.wait(rlock, { owner: 5 });
  // @ts-expect-error a lock has no owner
  await condition.wait(lock, { owner: 5 });
  const found = await condition.waitFor(lock, () => 'found');
  same<typeof found, string>(true);
  condition.notify(2);
  condition.notifyAll();
  const barrier = Barrier.create(3, { mode: 0o660 });
  const index: number = await barrier.wait({ action: async () => {}, timeout: 10 });
  const party = await barrier.arrive();
  if (party.isLeader) barrier.complete(false);
  // @ts-expect-error how many parties?
  Barrier.create();
  void [depth, owned, ownerDied, index];
}

async function connections(signal: AbortSignal): Promise<void> {
  const [reader, writer] = pipe({ duplex: false });
  same<typeof reader, Connection>(true);
  await writer.send(Buffer.from('x'), { timeout: 1 });
  const sent: boolean = writer.trySend(new Uint8Array(1));
  const received = reader.tryRecv();
  same<typeof received, Buffer | undefined>(true);
  const ready: boolean = await reader.poll({ timeout: 5, signal });
  const ends = pipe({ format: 'bytes' });
  same<typeof ends, [Connection, Connection]>(true);
  const [a] = pipe<string[]>({ format: 'msgpack' });
  for await (const words of a) same<typeof words, string[]>(true);
  // @ts-expect-error not a list of words
  await a.send('text');
  // @ts-expect-error a connection has no name
  Connection.open('name');
  const inherited = Connection.inherited<number>('end', { format: 'msgpack' });
  const value: number = await inherited.recv();
  const queue = Queue.create();
  const put = { put: queue };
  const some = await waitAny([queue, put, a, Event.create(), Process.adopt(5)], { signal });
  if (some[0] === put) queue.tryPut(Buffer.alloc(1));
  // @ts-expect-error a lock is not waited for so
  await waitAny([Lock.create()]);
  const names: string[] = list().map(({ name }) => name);
  void [sent, ready, value, names];
}

async function sockets(signal: AbortSignal): Promise<void> {
  using listener = Listener.create('tcp://127.0.0.1:0', { authkey: 'secret', backlog: 5 });
  const client: Connection = await connect(listener.address, { authkey: Buffer.from('secret'), timeout: 5, signal });
  for await (const connection of listener) same<typeof connection, Connection>(true);
  const values = Listener.create<string>('unix:@name', { format: 'msgpack' });
  const accepted: Connection<string, string> = await values.accept({ timeout: 5 });
  // @ts-expect-error a key is a secret, not a number
  await connect('unix:/path', { authkey: 5 });
  await waitAny([listener, values]);
  await exitChildren();
  exitChildrenAtExit(false);
  void [client, accepted];
}

async function pools(signal: AbortSignal): Promise<void> {
  await using pool = Pool.create({ worker: new URL('file:///worker.js'), workers: 4, maxAttempts: 3, initialiser: 'start' });
  const task: Task<number> = pool.submit<number>('square', 2, { timeLimit: 1000, signal });
  const four: number = await task;
  const again: number = await task.result({ timeout: 5 });
  const nine: number = await pool.apply<number>('square', 3, { timeout: 5, timeLimit: 5 });
  const all: number[] = await pool.map<number>('square', [1, 2, 3], { chunkSize: 2, onProgress: (done, total) => void [done, total] });
  for await (const result of pool.imap<number>('square', new Set([1]), { window: 5 })) same<typeof result, number>(true);
  for await (const result of pool.imapUnordered<string>('name', [1])) same<typeof result, string>(true);
  // @ts-expect-error only a pool makes tasks
  new Task();
  const { outstanding }: { outstanding: number } = pool.info();
  try {
    await Promise.all([task, pool.submit('other')]);
  } catch (error) {
    if (error instanceof TaskError) console.log(error.workerStack, error.code);
  }
  if (isWorker()) await runWorker({ square: (n: number) => n * n }, { format: 'msgpack' });
  void [four, again, nine, all, outstanding];
}

async function processes(): Promise<void> {
  const queue = Queue.create();
  const child = Process.spawn({ argv: ['node', 'child.js'], handles: { queue }, stdout: 'ignore', env: { A: 'b' } });
  // @ts-expect-error a program is needed
  Process.spawn({ argv: [] });
  // @ts-expect-error a process cannot be inherited
  Process.spawn({ argv: ['x'], handles: { child } });
  child.signal('SIGUSR1');
  const code: number = await child.join({ timeout: 100 });
  const exitCode = child.exitCode;
  same<typeof exitCode, number | null>(true);
  const pids: number[] = activeChildren();
  const { parentPid }: { parentPid: number } = current();
  try {
    queue.tryPut(Buffer.alloc(1));
  } catch (error) {
    if (error instanceof PolyprocError && error.status === status['E_SHUTDOWN']) console.log(error.code, version);
  }
  void [code, pids, parentPid];
}

void [queues, primitives, meetings, connections, sockets, pools, processes];
