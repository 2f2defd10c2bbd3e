'use strict';

const { availableParallelism } = require('node:os');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { unpack } = require('./chunk.js');
const { check, checkMade } = require('./errors.js');
const { codecOf, readFormat } = require('./format.js');
const { noteHeld, noteReleased } = require('./held.js');
const { constants, native, numbers, status, DELIVERIES, LENGTH, LOAN, OFFSET, ROW } = require('./native.js');
const { TOKEN } = require('./object.js');
const {
  NAMES,
  readBoolean,
  readFunction,
  readInteger,
  readMilliseconds,
  readOptions,
  readString,
  readWait,
} = require('./options.js');
const { ordered, unordered } = require('./pool-map.js');
const { readArgv, readEnv, readHandles } = require('./process-options.js');
const { cut, makeRoom } = require('./slab.js');
const { HANDLE, READINESS } = require('./symbols.js');
const { Task } = require('./task.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');
const { makeWaitable } = require('./wait/waitable.js');

const UINT32_MAX = 2 ** 32 - 1;
const WORKERS_MAX = 1000;
const WORKER_MAIN = path.join(__dirname, 'worker-main.js');
/**
 * Deno gives a program no rights by default. This program has loaded an addon, so it may do
 * anything already.
 */
const RUN = process.versions.deno === undefined ? [] : ['run', '--allow-all'];

const join = new Operation({
  code: constants.WAIT_POOL,
  direction: 0,
  barges: true,
  late: status.E_TIMEOUT,
  what: 'join',
  attempt: native.poolJoin,
  atOnce(pool, answer) {
    check(answer, answer === status.E_INVALID ? 'join of a pool that is neither closed nor terminated' : 'join');
  },
});

/** Reads a worker program: a module of Node, or any program. */
function readProgram(options, format) {
  const { worker, argv } = options;
  if ((worker === undefined) === (argv === undefined)) throw new TypeError('a pool has either a worker module or an argv');
  if (argv !== undefined) return readArgv(argv);
  const file = worker instanceof URL ? fileURLToPath(worker) : path.resolve(readString(worker, 'worker'));
  return [process.execPath, ...RUN, WORKER_MAIN, format, file];
}

/** Returns the nanoseconds that a task may run; 0: no limit. */
function readLimit(timeLimit) {
  return timeLimit === undefined || timeLimit === Infinity ? 0 : readMilliseconds(timeLimit, 'timeLimit');
}

class Pool {
  #codec;
  #tasks = []; // by tag
  #free = []; // tags
  #outstanding = 0;
  #isIdling = false;
  #closed = false;
  #collect = (code) => (code === undefined ? this.#collectFinished() : undefined);

  constructor(token, handle, format) {
    if (token !== TOKEN) throw new TypeError('use Pool.create');
    makeWaitable(this, handle);
    this.#codec = codecOf(format);
    this.format = format;
  }

  static create(options) {
    const { format: asked = 'msgpack', workers = 0, env = {}, maxTasksPerWorker = 0, maxAttempts = 0 } = readOptions(options, NAMES.pool);
    const { initialiser, initialiserValue, handles = {} } = options;
    const format = readFormat(asked);
    const codec = codecOf(format);
    const given = readHandles(handles);
    const program = readProgram(options, format);
    const handle = native.poolCreate(
      readInteger(workers, 'workers', 0, WORKERS_MAX),
      program,
      readEnv(env),
      readInteger(maxTasksPerWorker, 'maxTasksPerWorker', 0, UINT32_MAX),
      readInteger(maxAttempts, 'maxAttempts', 0, UINT32_MAX),
      initialiser === undefined ? undefined : readString(initialiser, 'initialiser'),
      initialiserValue === undefined && format === '' ? Buffer.alloc(0) : codec.encode(initialiserValue),
      given.names,
      given.objects,
      readBoolean(options.group ?? false, 'group') ? constants.POOL_GROUP : 0,
    );
    return new Pool(TOKEN, checkMade(handle, `create Pool of ${program[0]}`), format);
  }

  get closed() {
    return this.#closed;
  }

  submit(name, value, options = {}) {
    const { timeLimit, signal } = this.#readTask(options, NAMES.task);
    return this.#submit(native.poolSubmit, name, this.#codec.encode(value), timeLimit, signal, this.#codec.decode);
  }

  #readTask(options, names) {
    const { signal } = readWait(options, names);
    return { timeLimit: readLimit(options.timeLimit), signal };
  }

  /** `call`: native.poolSubmit or poolSubmitChunk */
  #submit(call, name, data, timeLimit, signal, decode, onEnd) {
    readString(name, 'name');
    if (this.#outstanding === 0) this.#begin();
    const tag = this.#free.length > 0 ? this.#free.pop() : this.#tasks.length;
    let answer;
    try {
      answer = check(call(this[HANDLE], name, data, timeLimit, tag), `submit "${name}"`);
    } finally {
      if (answer === undefined) this.#refused(tag);
    }
    const task = new Task(TOKEN, this, name, tag, decode, signal, onEnd);
    this.#tasks[tag] = task;
    this.#outstanding++;
    return task;
  }

  #refused(tag) {
    this.#release(tag);
    this.#idle();
  }

  #release(tag) {
    this.#tasks[tag] = undefined;
    this.#free.push(tag);
  }

  /** From here on the program stays alive until the tasks are over. */
  #begin() {
    check(this[READINESS].start(), 'submit');
    this[READINESS].addListener(this.#collect);
    noteHeld(this);
  }

  #idle() {
    this.#isIdling = false;
    if (this.#outstanding > 0 || this.#closed) return;
    this[READINESS].removeListener(this.#collect);
    noteReleased(this, Infinity);
  }

  #collectFinished() {
    for (;;) {
      makeRoom();
      const count = native.poolFinished(this[HANDLE]);
      if (count < 0) {
        if (count !== status.E_TIMEOUT) this.#endAll(count);
        return;
      }
      const finished = [];
      for (let at = 0; at < count * ROW; at += ROW) {
        const [tag, offset, length] = [numbers[at + LOAN], numbers[at + OFFSET], numbers[at + LENGTH]];
        finished.push({ tag, length, code: numbers[at + DELIVERIES], bytes: offset < 0 ? undefined : cut(offset, length) });
      }
      for (const { tag, length, code, bytes } of finished) this.#end(tag, code, bytes ?? this.#long(tag, length));
      if (count < constants.TASKS_PER_LOOK) return;
    }
  }

  #long(tag, length) {
    const bytes = Buffer.allocUnsafeSlow(length);
    check(native.poolResult(this[HANDLE], tag, bytes), 'result');
    return bytes;
  }

  #end(tag, code, bytes) {
    const task = this.#tasks[tag];
    this.#release(tag);
    // Keep polling the descriptor, for a caller that submits its next task at once.
    if (--this.#outstanding === 0 && !this.#isIdling) {
      this.#isIdling = true;
      setImmediate(() => this.#idle());
    }
    task.end(TOKEN, code, bytes);
  }

  #endAll(code) {
    for (let tag = 0; tag < this.#tasks.length; tag++) {
      if (this.#tasks[tag] !== undefined) this.#end(tag, code, Buffer.alloc(0));
    }
  }

  async apply(name, value, options = {}) {
    const { timeLimit: limit, ...how } = readOptions(options, NAMES.apply);
    const timeLimit = readLimit(limit);
    readWait(how);
    const task = this.#submit(native.poolSubmit, name, this.#codec.encode(value), timeLimit, undefined, this.#codec.decode);
    try {
      return await task.result(how);
    } catch (error) {
      if (!task.isOver) task.cancel();
      throw error;
    }
  }

  /** Submits a list of values as one task, for the maps. */
  #chunk(name, values, timeLimit, onEnd) {
    const items = values.map((value) => this.#codec.encodeOwn(value));
    const decode = (bytes) => unpack(bytes).map(this.#codec.decode);
    return this.#submit(native.poolSubmitChunk, name, items, timeLimit, undefined, decode, onEnd);
  }

  #readMap(options, names) {
    const { chunkSize, window, onProgress } = options;
    return {
      ...this.#readTask(options, names),
      chunkSize: chunkSize === undefined ? undefined : readInteger(chunkSize, 'chunkSize', 1, UINT32_MAX),
      window: window === undefined ? undefined : readInteger(window, 'window', 1),
      onProgress: onProgress === undefined ? () => {} : readFunction(onProgress, 'onProgress'),
    };
  }

  #workers() {
    return this.info().workers || availableParallelism();
  }

  async map(name, values, options = {}) {
    const { chunkSize, signal, timeLimit, onProgress } = this.#readMap(options, NAMES.map);
    const all = [...values];
    // As in Python: about four chunks for each worker.
    const size = chunkSize ?? Math.max(1, Math.ceil(all.length / (this.#workers() * 4)));
    const submit = (chunk, onEnd) => this.#chunk(name, chunk, timeLimit, onEnd);
    const results = [];
    for await (const result of ordered(submit, all, { chunkSize: size, window: Infinity, signal, onProgress, total: all.length })) {
      results.push(result);
    }
    return results;
  }

  imap(name, values, options = {}) {
    return this.#iterate(ordered, name, values, options);
  }

  imapUnordered(name, values, options = {}) {
    return this.#iterate(unordered, name, values, options);
  }

  #iterate(how, name, values, options) {
    const { chunkSize = 1, window, signal, timeLimit, onProgress } = this.#readMap(options, NAMES.imap);
    readString(name, 'name');
    const submit = (chunk, onEnd) => this.#chunk(name, chunk, timeLimit, onEnd);
    return how(submit, values, { chunkSize, window: window ?? this.#workers() * 4, signal, onProgress });
  }

  close() {
    check(native.poolShutdown(this[HANDLE]), 'close');
  }

  terminate() {
    check(native.poolTerminate(this[HANDLE]), 'terminate');
  }

  async join(options) {
    await perform(this, join, undefined, options);
    this.#collectFinished();
  }

  free() {
    if (this.#closed) return;
    this.#closed = true;
    this[READINESS].fail(status.E_CLOSED);
    native.close(this[HANDLE]);
    this.#endAll(status.E_SHUTDOWN);
    noteReleased(this, Infinity);
  }

  workerPids() {
    return checkMade(native.poolWorkerPids(this[HANDLE]), 'workerPids');
  }

  info() {
    const [workers, alive, outstanding, queued, submitted, succeeded, failed, retried, startedWorkers, diedWorkers] =
      checkMade(native.poolInfo(this[HANDLE]), 'info');
    return { workers, alive, outstanding, queued, submitted, succeeded, failed, retried, startedWorkers, diedWorkers };
  }
}
if (Symbol.asyncDispose) {
  Pool.prototype[Symbol.asyncDispose] = async function () {
    if (this.closed) return;
    this.close();
    await this.join();
    this.free();
  };
}

module.exports = { Pool };
