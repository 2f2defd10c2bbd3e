/// <reference types="node" />

/**
 * The messages that a queue without a format takes. A string is not bytes: use `Buffer.from(text)`.
 */
export type Bytes = NodeJS.ArrayBufferView | ArrayBuffer;

/** An object that another process can inherit by name. */
export type Shareable = Queue<any, any> | Lock | RLock | Semaphore | Event | Condition | Barrier | Connection<any, any>;

/** How long a call waits, and the signal that ends it early. */
export interface WaitOptions {
  /** Milliseconds. Absent or Infinity: for ever; 0 or less: try once. */
  timeout?: number;
  /**
   * An abort rejects the promise with the signal's reason, and the call has changed nothing. If the
   * call succeeded before the abort, the promise resolves.
   */
  signal?: AbortSignal;
}

export interface CreateOptions {
  /**
   * 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, no leading dot. Absent: anonymous, reached by
   * inheritance only.
   */
  name?: string;
  /** Permissions of a named object. Default 0o600. */
  mode?: number;
  /**
   * Open the object if the name exists, rather than fail with E_EXISTS. A queue that is shut down
   * and that no process has open is created again, and its messages are lost: use `Queue.open` to
   * read them.
   */
  openOrCreate?: boolean;
}

export interface QueueOptions extends CreateOptions {
  /** A message stays unfinished until `taskDone()` or `message.done()`. */
  joinable?: boolean;
  /** 0 or absent: no limit. */
  maxItems?: number;
  /** 0 or absent: as much as shared memory holds. */
  maxBytes?: number;
  /**
   * Joinable: a message that was delivered this often becomes a dead letter. 0 or absent: no limit.
   */
  maxDeliveries?: number;
  /** Nanoseconds that a wait spins before it sleeps. 0 or absent: the default. */
  spinNs?: number;
  /**
   * The encoding of the messages: '', or 'bytes', is bytes, 'msgpack' is values. With any other
   * label the messages are bytes, which the program decodes.
   */
  format?: string;
}

export interface SemaphoreOptions extends CreateOptions {
  /** Permits at the start. Default 1. */
  initial?: number;
  /** 0 or absent: unbounded. */
  maximum?: number;
  /**
   * A permit belongs to the process that acquired it: only that process releases it, and it comes
   * back when that process ends.
   */
  owned?: boolean;
}

export interface QueueInfo {
  items: number;
  bytes: number;
  inFlight: number;
  unfinished: number;
  puts: number;
  /** `puts` less the messages that wait: it falls when a message comes back. */
  gets: number;
  /** How often a message came back to wait. */
  redelivered: number;
  discarded: number;
  recoveries: number;
  deadLetters: number;
  maxItems: number;
  maxBytes: number;
  maxDeliveries: number;
  joinable: boolean;
  waiting: number;
  participants: number;
  shutdown: boolean;
  spinNs: number;
  format: string;
  /** 32 hexadecimal digits, random and new with every creation of a queue. */
  identity: string;
}

/**
 * How a message stands. `done` is final, and so are `dead` (a dead letter) and `discarded` (by an
 * immediate shutdown). Of an older message that is over it can be forgotten which: `unknown`.
 */
export type MessageState = 'waiting' | 'leased' | 'done' | 'dead' | 'discarded' | 'unknown';

/** Why a call failed. */
export class PolyprocError extends Error {
  constructor(status: number, what: string, options?: ErrorOptions & { detail?: string });
  name: string;
  /**
   * The name of the status: "E_EMPTY", "E_CLOSED", ...; for an error of the operating system the
   * name of the errno: "EBADF".
   */
  readonly code: string;
  /** The number that the C API returned. */
  readonly status: number;
  /**
   * The cause in a sentence, which is also the end of `message`: which argument is wrong and how,
   * in what an object differs from the options, or which call the system refused. Undefined if the
   * status says all.
   */
  readonly detail: string | undefined;
}

/** Every status of the C API by its name: `status.E_EMPTY === -3`. */
export const status: Readonly<Record<string, number>>;

declare abstract class SharedObject {
  /**
   * The name with which the object was created or opened; undefined for an anonymous or inherited
   * one.
   */
  readonly name: string | undefined;
  readonly closed: boolean;
  /**
   * Closes this handle; waits on it reject with E_CLOSED. Messages and slots on loan stay until
   * they are settled. A second close does nothing.
   */
  close(): void;
  /**
   * Returns a new descriptor of the object, for a child's `stdio` or a socket. The caller closes
   * it.
   */
  shareFd(): number;
  [Symbol.dispose](): void;
}

/** A queue between processes. A get returns an `Out`, a put takes an `In`. */
export class Queue<Out = Buffer, In = Bytes> extends SharedObject implements AsyncIterable<Out> {
  private constructor();
  static create(options?: QueueOptions & { format?: '' | 'bytes' }): Queue;
  static create<T = any>(options: QueueOptions & { format: 'msgpack' }): Queue<T, T>;
  static create<Out, In>(options: QueueOptions): Queue<Out, In>;
  static open<Out = any, In = any>(name: string): Queue<Out, In>;
  /** In a child: the queue that the parent gave under this name. */
  static inherited<Out = any, In = any>(name: string): Queue<Out, In>;
  /** Opens the queue behind a descriptor of `shareFd`, which stays the caller's. */
  static fromFd<Out = any, In = any>(fd: number): Queue<Out, In>;

  readonly format: string;
  readonly joinable: boolean;

  /** Returns false if the queue is full. */
  tryPut(value: In): boolean;
  put(value: In, options?: WaitOptions): Promise<void>;
  /**
   * Puts a message and returns its id, which is the `id` of the message that is taken; undefined if
   * the queue is full. `tryPut` is faster.
   */
  tryPutId(value: In): bigint | undefined;
  /** How the message with this id stands. Ids are valid for one creation: see `identity`. */
  settled(id: bigint): MessageState;
  /** A number that grows with every message that is settled. */
  settledCount(): number;
  /** Puts from the first on until the queue is full, and returns how many it put. */
  tryPutMany(values: readonly In[]): number;
  /**
   * Resolves to how many were put: fewer than given only if the wait ended early after the first.
   */
  putMany(values: readonly In[], options?: WaitOptions): Promise<number>;

  /** Returns undefined if the queue is empty; a nil of MessagePack is null. */
  tryGet(): Out | undefined;
  get(options?: WaitOptions): Promise<Out>;
  /** Returns at most `max` (and 1,024) messages; an empty array if there is none. */
  tryGetMany(max: number): Out[];
  /** Waits for the first message only. */
  getMany(max: number, options?: WaitOptions): Promise<Out[]>;

  tryTake(): Message<Out> | undefined;
  /**
   * Takes a message, which stays in flight until it is settled. If this process dies it is
   * delivered again.
   */
  take(options?: WaitOptions): Promise<Message<Out>>;
  tryTakeMany(max: number): Message<Out>[];
  takeMany(max: number, options?: WaitOptions): Promise<Message<Out>[]>;
  /** Returns a dead letter, undefined if there is none. */
  takeDead(): Message<Out> | undefined;

  tryReserve(length: number): Slot | undefined;
  /** Returns room for a message, to be written in place. Its bytes are undefined at first. */
  reserve(length: number, options?: WaitOptions): Promise<Slot>;

  /** Settles the oldest message that this process got and has not settled. */
  taskDone(): void;
  /** Resolves when no message is unfinished. */
  join(options?: WaitOptions): Promise<void>;
  /**
   * From now on puts fail with E_SHUTDOWN; gets do so once the queue is drained, or at once if
   * `immediate`.
   */
  shutdown(options?: { immediate?: boolean }): void;
  readonly length: number;
  readonly isEmpty: boolean;
  readonly isFull: boolean;
  info(): QueueInfo;

  /** Gets until the queue is shut down and drained. */
  values(options?: WaitOptions): AsyncIterableIterator<Out>;
  /** Takes until the queue is shut down and drained; the caller settles each message. */
  messages(options?: WaitOptions): AsyncIterableIterator<Message<Out>>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Out>;
}

/** A message that was taken from a queue. */
export class Message<T = Buffer> {
  private constructor();
  /**
   * The bytes. Throws once the message is settled. For a long message this is a view of shared
   * memory, detached at `done()` and `return()`.
   */
  readonly data: Buffer;
  /**
   * The value that `get()` would return: a copy, which the caller may keep. Throws once the message
   * is settled.
   */
  readonly value: T;
  readonly length: number;
  readonly id: bigint;
  /** How often the message was delivered, 1 the first time. */
  readonly deliveries: number;
  readonly settled: boolean;
  /** Finishes the message; on a joinable queue this is its `taskDone`. */
  done(): void;
  /** Finishes all of these, with less work for each. */
  static doneMany(messages: readonly Message<any>[]): void;
  /** Gives the message back: it is first in line again, with one more delivery. */
  return(): void;
  /** Calls `return` unless the message is settled. */
  [Symbol.dispose](): void;
}

/** Room in a queue for one message. */
export class Slot {
  private constructor();
  /** The room for the message, valid until commit or abort. */
  readonly data: Buffer;
  readonly length: number;
  readonly settled: boolean;
  /** Puts the first `length` bytes; absent: all. */
  commit(length?: number): void;
  abort(): void;
  /** Aborts unless the slot is settled. */
  [Symbol.dispose](): void;
}

/** A lock that is held. Its disposal releases the lock. */
export interface Held {
  /** The last holder died while it held the lock: check the state that the lock guards. */
  readonly ownerDied: boolean;
  release(): void;
  [Symbol.dispose](): void;
}

/** A lock between processes, not recursive; any process may release it. */
export class Lock extends SharedObject {
  private constructor();
  static create(options?: CreateOptions): Lock;
  static open(name: string): Lock;
  static inherited(name: string): Lock;
  static fromFd(fd: number): Lock;
  /** Returns undefined if another holds the lock. */
  tryAcquire(): Held | undefined;
  acquire(options?: WaitOptions): Promise<Held>;
  release(): void;
  /** Runs `work` while holding the lock. */
  hold<R>(work: (held: Held) => R | PromiseLike<R>, options?: WaitOptions): Promise<R>;
  readonly isLocked: boolean;
}

/**
 * The owner of an rlock: a number above 0. Absent: the task whose `hold` the call runs in, or,
 * outside of any `hold`, this thread.
 */
export interface OwnerOptions {
  owner?: number;
}

/**
 * A recursive lock between processes: its owner may take it again, and only its owner releases it.
 */
export class RLock extends SharedObject {
  private constructor();
  static create(options?: CreateOptions): RLock;
  static open(name: string): RLock;
  static inherited(name: string): RLock;
  static fromFd(fd: number): RLock;
  /** Returns undefined if another owner holds the lock. */
  tryAcquire(options?: OwnerOptions): Held | undefined;
  acquire(options?: WaitOptions & OwnerOptions): Promise<Held>;
  /** Throws E_NOT_OWNER if another owner holds the lock. */
  release(options?: OwnerOptions): void;
  /**
   * Runs `work` while holding the lock, as a task of its own: code that runs in it, also after an
   * await, takes the lock again at once, and no other task does.
   */
  hold<R>(work: (held: Held) => R | PromiseLike<R>, options?: WaitOptions & OwnerOptions): Promise<R>;
  /** How often the present owner has taken the lock; 0 if it is free. */
  readonly depth: number;
}

export class Semaphore extends SharedObject {
  private constructor();
  static create(options?: SemaphoreOptions): Semaphore;
  static open(name: string): Semaphore;
  static inherited(name: string): Semaphore;
  static fromFd(fd: number): Semaphore;
  tryAcquire(): boolean;
  acquire(options?: WaitOptions): Promise<void>;
  /** Default: one permit. */
  release(permits?: number): void;
  readonly value: number;
}

export class Event extends SharedObject {
  private constructor();
  static create(options?: CreateOptions): Event;
  static open(name: string): Event;
  static inherited(name: string): Event;
  static fromFd(fd: number): Event;
  set(): void;
  clear(): void;
  readonly isSet: boolean;
  wait(options?: WaitOptions): Promise<void>;
}

/**
 * Lets a task wait, with a lock released meanwhile, until another task or process has changed the
 * state and notifies it.
 */
export class Condition extends SharedObject {
  private constructor();
  static create(options?: CreateOptions): Condition;
  static open(name: string): Condition;
  static inherited(name: string): Condition;
  static fromFd(fd: number): Condition;
  /**
   * Releases the lock, which the caller holds, waits until notified and takes the lock again.
   * However the wait ends, also by E_TIMEOUT or an abort, the caller holds the lock; taking it
   * again may last longer than `timeout`.
   */
  wait(lock: Lock, options?: WaitOptions): Promise<Held>;
  wait(lock: RLock, options?: WaitOptions & OwnerOptions): Promise<Held>;
  /**
   * Waits until `predicate` returns a truthy value, and resolves to that value. `predicate` is
   * called with the lock held.
   */
  waitFor<R>(lock: Lock | RLock, predicate: () => R | PromiseLike<R>, options?: WaitOptions & OwnerOptions): Promise<R>;
  /** Wakes up to `n` waits that have begun, 1 by default. */
  notify(n?: number): void;
  notifyAll(): void;
}

export interface Party {
  /** The number of this party in the round, from 0 to parties - 1. */
  readonly index: number;
  /** True for the party that completes the round; the others are held until it does. */
  readonly isLeader: boolean;
}

/** A barrier at which a fixed number of parties wait for each other. */
export class Barrier extends SharedObject {
  private constructor();
  static create(parties: number, options?: CreateOptions): Barrier;
  static open(name: string): Barrier;
  static inherited(name: string): Barrier;
  static fromFd(fd: number): Barrier;
  /**
   * Resolves to this party's index. If a party dies, or gives up by a timeout or an abort, the
   * barrier breaks for all parties (E_BROKEN_BARRIER). All parties of a round pass `action`, and
   * one of them runs it while the others are held. If the action fails, the barrier breaks.
   */
  wait(options?: WaitOptions & { action?: () => unknown }): Promise<number>;
  /** The two steps of a wait with an action: after its arrival the leader calls `complete`. */
  arrive(options?: WaitOptions): Promise<Party>;
  complete(ok?: boolean): void;
  /** Breaks the barrier until it is reset. */
  abort(): void;
  reset(): void;
  readonly parties: number;
  readonly waiting: number;
  readonly isBroken: boolean;
}

export interface FormatOptions {
  /**
   * The encoding of the messages: '' or 'bytes' is bytes, 'msgpack' values. Each end sets it for
   * itself.
   */
  format?: string;
}

/** One end of a pipe: whole messages, to and from the other end. */
export class Connection<Out = Buffer, In = Bytes> extends SharedObject implements AsyncIterable<Out> {
  private constructor();
  static inherited(name: string, options?: { format?: '' | 'bytes' }): Connection;
  static inherited<T = any>(name: string, options: { format: 'msgpack' }): Connection<T, T>;
  static inherited<Out, In>(name: string, options?: FormatOptions): Connection<Out, In>;
  static fromFd(fd: number, options?: { format?: '' | 'bytes' }): Connection;
  static fromFd<T = any>(fd: number, options: { format: 'msgpack' }): Connection<T, T>;
  static fromFd<Out, In>(fd: number, options?: FormatOptions): Connection<Out, In>;

  readonly format: string;

  /**
   * Returns false if there is no room, and always for a message over 1 MiB, which only `send` can
   * hand over.
   */
  trySend(value: In): boolean;
  /** Resolves when the message is in the pipe; one over 1 MiB when it has been received. */
  send(value: In, options?: WaitOptions): Promise<void>;
  /**
   * Returns undefined if there is no message. Throws E_EOF if the other end is closed and all was
   * received.
   */
  tryRecv(): Out | undefined;
  recv(options?: WaitOptions): Promise<Out>;
  /** Returns whether a receive would not wait: there is a message, or the end of file. */
  tryPoll(): boolean;
  /** Resolves to true when a receive would not wait, to false at the end of the time. */
  poll(options?: WaitOptions): Promise<boolean>;

  /** Receives until the end of file. */
  values(options?: WaitOptions): AsyncIterableIterator<Out>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Out>;
}

/**
 * Makes a pipe and returns its two ends. Not duplex: the first only receives, the second only
 * sends.
 */
export function pipe(options?: { duplex?: boolean; format?: '' | 'bytes' }): [Connection, Connection];
export function pipe<T = any>(options: { duplex?: boolean; format: 'msgpack' }): [Connection<T, T>, Connection<T, T>];
export function pipe<Out, In>(options?: FormatOptions & { duplex?: boolean }): [Connection<Out, In>, Connection<Out, In>];

export interface PeerOptions extends FormatOptions {
  /** The secret that both sides must have. Absent: every peer is accepted. */
  authkey?: string | NodeJS.ArrayBufferView;
  /** Milliseconds that a handshake may take. Default: 10,000. */
  handshakeTimeout?: number;
  /**
   * The longest message that the other side may send. Default: 256 MiB for a listener without a
   * key, else 4 GiB - 1.
   */
  maxMessage?: number;
  /** Accept HMAC-MD5, the only hash that Python up to 3.11 knows. Default: true. */
  allowMd5?: boolean;
}

export interface ListenerOptions extends PeerOptions {
  /**
   * The limit for each of three numbers: connections in the kernel's queue, handshakes in progress,
   * and connections that wait to be accepted. At most 4,096. Default: 128.
   */
  backlog?: number;
  /** Other machines can reach the listener without a key. */
  isPublic?: boolean;
}

/**
 * Accepts connections over TCP or a unix socket, in the protocol of Python's
 * multiprocessing.connection: a peer may be a Client of CPython. A peer that is silent, slow or
 * wrong delays no other.
 */
export class Listener<Out = Buffer, In = Bytes> implements AsyncIterable<Connection<Out, In>> {
  private constructor();
  /**
   * `address`: "tcp://127.0.0.1:5000", port 0 for a free one; "tcp://[::1]:0"; "unix:/path";
   * "unix:@name", abstract, without a file.
   */
  static create(address: string, options?: ListenerOptions & { format?: '' | 'bytes' }): Listener;
  static create<T = any>(address: string, options: ListenerOptions & { format: 'msgpack' }): Listener<T, T>;
  static create<Out, In>(address: string, options?: ListenerOptions): Listener<Out, In>;
  readonly format: string;
  /** The address for `connect`, with the port that was chosen. */
  readonly address: string;
  readonly closed: boolean;
  tryAccept(): Connection<Out, In> | undefined;
  accept(options?: WaitOptions): Promise<Connection<Out, In>>;
  /** Accepts until the listener is closed. */
  connections(options?: WaitOptions): AsyncIterableIterator<Connection<Out, In>>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Connection<Out, In>>;
  close(): void;
  [Symbol.dispose](): void;
}

/** Connects to a listener, of polyproc or of CPython. */
export function connect(address: string, options?: PeerOptions & WaitOptions & { format?: '' | 'bytes' }): Promise<Connection>;
export function connect<T = any>(
  address: string,
  options: PeerOptions & WaitOptions & { format: 'msgpack' },
): Promise<Connection<T, T>>;
export function connect<Out, In>(address: string, options?: PeerOptions & WaitOptions): Promise<Connection<Out, In>>;

/**
 * A queue waits for a get from it, an event until it is set, a connection for a receive, a listener
 * for an accept, a process and a task for its end.
 */
export type Waitable =
  | Queue<any, any>
  | { readonly put: Queue<any, any> }
  | Event
  | Connection<any, any>
  | Listener<any, any>
  | Process
  | Task;
/**
 * Resolves to the items that are ready, at least one. This performs no operation, so another task
 * or process may be faster.
 */
export function waitAny<T extends Waitable>(items: readonly T[], options?: WaitOptions): Promise<T[]>;

/** A descriptor, or a word that stands for one. */
export type Stdio = 'inherit' | 'ignore' | number;

export interface ProcessOptions {
  /** The program, looked up in PATH, and its arguments. */
  argv: readonly [string, ...string[]];
  name?: string;
  cwd?: string;
  /** Added to this process's environment. */
  env?: Readonly<Record<string, string>>;
  /** Start from an empty environment. */
  clearEnv?: boolean;
  stdin?: Stdio;
  stdout?: Stdio;
  stderr?: Stdio;
  /** The child dies with this process, however that ends, and may have no children. */
  daemon?: boolean;
  /**
   * The child leads a process group of its own: signals of the terminal, such as Ctrl-C, reach this
   * process only. The child must not read from the terminal.
   */
  group?: boolean;
  /** The objects that the child inherits, by the name with which it asks for them. */
  handles?: Readonly<Record<string, Shareable>>;
}

export class Process {
  private constructor();
  static spawn(options: ProcessOptions): Process;
  /**
   * A handle of a process that was started otherwise. It reaps the process, so Node may miss the
   * exit of its own child.
   */
  static adopt(pid: number): Process;
  readonly pid: number;
  readonly name: string;
  readonly daemon: boolean;
  readonly isAlive: boolean;
  /** Null while the process runs; negative: the signal that ended it. */
  readonly exitCode: number | null;
  readonly closed: boolean;
  /** Resolves to the exit code. */
  join(options?: WaitOptions): Promise<number>;
  /** Sends SIGTERM. */
  terminate(): void;
  /** Sends SIGKILL. */
  kill(): void;
  signal(signal: NodeJS.Signals | number): void;
  /** Closes the handle; the process goes on. */
  close(): void;
  [Symbol.dispose](): void;
}

export interface PoolOptions {
  /**
   * The module whose exports are the functions; a relative path starts at the current folder. Give
   * either this or `argv`.
   */
  worker?: string | URL;
  /** The worker program, in any language, and its arguments. */
  argv?: readonly [string, ...string[]];
  /** How many workers. 0 or absent: one for each CPU that this process may use. */
  workers?: number;
  /** The encoding of arguments and results: 'msgpack', the default, values; '' or 'bytes' bytes. */
  format?: string;
  /** Added to this process's environment. */
  env?: Readonly<Record<string, string>>;
  /** A worker is replaced after this many tasks. 0 or absent: never. */
  maxTasksPerWorker?: number;
  /**
   * How often a task is begun if its worker dies each time. Absent: once; then the task fails with
   * E_WORKER_DIED.
   */
  maxAttempts?: number;
  /**
   * Each worker leads a process group of its own: signals of the terminal, such as Ctrl-C, reach
   * this process only.
   */
  group?: boolean;
  /** A function that each worker calls before its first task. */
  initialiser?: string;
  /** The argument of `initialiser`. */
  initialiserValue?: unknown;
  /** The objects that the workers inherit, by the name with which they ask for them. */
  handles?: Readonly<Record<string, Shareable>>;
}

export interface TaskOptions {
  /**
   * Milliseconds from when a worker begins the task. After that the worker is killed and the task
   * fails with E_TIMEOUT.
   */
  timeLimit?: number;
  /** An abort cancels the task unless it has begun: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface MapOptions extends TaskOptions {
  /**
   * How many values make one task, to which `timeLimit` applies. A task is submitted when that many
   * values have come.
   */
  chunkSize?: number;
  /** Called with the number of values that are done, and of all values if that number is known. */
  onProgress?: (done: number, total: number | undefined) => void;
}

export interface ImapOptions extends MapOptions {
  /** How many values may be under way. Default: four for each worker. */
  window?: number;
}

export interface PoolInfo {
  workers: number;
  alive: number;
  outstanding: number;
  queued: number;
  submitted: number;
  succeeded: number;
  failed: number;
  retried: number;
  startedWorkers: number;
  diedWorkers: number;
}

/**
 * A task that did not succeed. If its function failed (E_TASK_FAILED), the message is that of the
 * thrown value. Otherwise the message names the function and the failure: its worker died, its time
 * was over, ...
 */
export class TaskError extends PolyprocError {
  constructor(status: number, message: string, workerStack?: string);
  /** The stack in the worker, if its language knows. */
  readonly workerStack: string | undefined;
}

/** A task of a pool. It can be awaited like a promise; a task that fails unobserved is no error. */
export class Task<R = any> implements Promise<R> {
  private constructor();
  readonly [Symbol.toStringTag]: string;
  readonly isOver: boolean;
  /** The result; `timeout` and `signal` end the wait, not the task. */
  result(options?: WaitOptions): Promise<R>;
  /**
   * Cancels the task if no worker has begun it, and returns whether it did; then the task rejects
   * with E_CANCELED.
   */
  cancel(): boolean;
  then<A = R, B = never>(
    onFulfilled?: ((result: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B>;
  catch<B = never>(onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<R | B>;
  finally(onFinally?: (() => void) | null): Promise<R>;
}

/**
 * A set of worker processes that run tasks: functions by name. A worker that dies is replaced, and
 * only its task is affected. The workers end with this process, however it ends.
 */
export class Pool {
  private constructor();
  static create(options: PoolOptions): Pool;
  readonly format: string;
  readonly closed: boolean;
  /** Submits a task. */
  submit<R = any>(name: string, value?: unknown, options?: TaskOptions): Task<R>;
  /**
   * Submits a task and waits for its result. A task that has begun when the wait ends keeps
   * running; its result is discarded.
   */
  apply<R = any>(name: string, value?: unknown, options?: WaitOptions & TaskOptions): Promise<R>;
  /** Resolves to the results in the order of the values, or rejects with the first error. */
  map<R = any>(name: string, values: Iterable<unknown>, options?: MapOptions): Promise<R[]>;
  /**
   * Yields the results in the order of the values, each as soon as it is there. The pool reads the
   * values meanwhile, as far as the window has room: the source may wait for something, also for
   * these results. If the source fails, the results of the earlier values come first, then the
   * error.
   */
  imap<R = any>(name: string, values: Iterable<unknown> | AsyncIterable<unknown>, options?: ImapOptions): AsyncGenerator<R, void, void>;
  /** Yields the results in the order in which they come. */
  imapUnordered<R = any>(
    name: string,
    values: Iterable<unknown> | AsyncIterable<unknown>,
    options?: ImapOptions,
  ): AsyncGenerator<R, void, void>;
  /** Stops the pool from taking tasks; the workers complete the tasks that are there. */
  close(): void;
  /** Ends the workers, and fails every task that is not over with E_SHUTDOWN. */
  terminate(): void;
  /** After `close` or `terminate`: resolves when all tasks are over and all workers have ended. */
  join(options?: WaitOptions): Promise<void>;
  /** Closes the handle and kills the workers that still run. */
  free(): void;
  workerPids(): number[];
  info(): PoolInfo;
  /** Calls `close`, `join` and `free`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Returns whether a pool has started this process as a worker. */
export function isWorker(): boolean;
/**
 * A worker program in Node: runs tasks, by the functions of these names, until the pool has no
 * more.
 */
export function runWorker(functions: Readonly<Record<string, (value: any) => unknown>>, options?: FormatOptions): Promise<void>;

export interface CurrentProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  readonly daemon: boolean;
}

/** This process, as the one that started it described it. */
export function current(): CurrentProcess;
/** The pids of children that still run. */
export function activeChildren(): number[];
/** Sends SIGTERM to the daemonic children; resolves when all children have ended. */
export function exitChildren(): Promise<void>;
/** Switches whether exitChildren runs when this process ends normally. It does by default. */
export function exitChildrenAtExit(on: boolean): void;
export interface ObjectInfo {
  readonly name: string;
  readonly kind: 'lock' | 'rlock' | 'semaphore' | 'event' | 'condition' | 'barrier' | 'queue' | 'unknown';
  /** Its permissions. */
  readonly mode: number;
  /** How many processes use it. */
  readonly processes: number;
  /** How many of their threads wait at it. */
  readonly waiting: number;
  /** The memory that it occupies. */
  readonly bytes: number;
}

/** The named objects of this user. */
export function list(): ObjectInfo[];
/** Removes a name; processes that have the object open keep it. */
export function unlink(name: string): void;
/** The version of the library. */
export const version: string;
