/// <reference types="node" />

/** What a queue without a format takes as a message. Strings are not bytes: use `Buffer.from(text)`. */
export type Bytes = NodeJS.ArrayBufferView | ArrayBuffer;

/** An object that another process can inherit by name. */
export type Shareable = Queue<any, any> | Lock | RLock | Semaphore | Event | Condition | Barrier | Connection<any, any>;

/** How long a call waits, and what ends it early. */
export interface WaitOptions {
  /** Milliseconds. Absent or Infinity: for ever; 0 or less: try once. */
  timeout?: number;
  /** Rejects the promise with the signal's reason, and nothing was done; a call that succeeded first resolves. */
  signal?: AbortSignal;
}

export interface CreateOptions {
  /** 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, no leading dot. Absent: anonymous, reached by inheritance only. */
  name?: string;
  /** Permissions of a named object. Default 0o600. */
  mode?: number;
  /**
   * Open the object where the name exists, rather than fail with E_EXISTS. A queue that is shut down and that no process has open
   * is made anew: what was left in it is lost. To read that use `Queue.open`.
   */
  openOrCreate?: boolean;
}

export interface QueueOptions extends CreateOptions {
  /** Messages stay unfinished until `taskDone()` or `message.done()`. */
  joinable?: boolean;
  /** 0 or absent: no limit. */
  maxItems?: number;
  /** 0 or absent: as much as shared memory holds. */
  maxBytes?: number;
  /** Joinable: past it a message goes to the dead letters. 0 or absent: no limit. */
  maxDeliveries?: number;
  /** Nanoseconds that a wait spins before it sleeps. 0 or absent: the default. */
  spinNs?: number;
  /** What the messages are: "" bytes, "msgpack" values; any other label is for you to read, and the messages are bytes. */
  format?: string;
}

export interface SemaphoreOptions extends CreateOptions {
  /** Permits at the start. Default 1. */
  initial?: number;
  /** 0 or absent: unbounded. */
  maximum?: number;
  /** A permit belongs to the process that acquired it: only that releases it, and it returns when that ends. */
  owned?: boolean;
}

export interface QueueInfo {
  items: number;
  bytes: number;
  inFlight: number;
  unfinished: number;
  puts: number;
  gets: number;
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
}

/** Why a call failed. */
export class PolyprocError extends Error {
  constructor(status: number, what: string, options?: ErrorOptions & { detail?: string });
  name: string;
  /** The status's name: "E_EMPTY", "E_CLOSED", ... or for an error of the operating system its errno's: "EBADF". */
  readonly code: string;
  /** The number that the C API gave. */
  readonly status: number;
  /**
   * The cause in a sentence, which the message ends with: which argument and what is wrong with it, how an object differs
   * from what was asked for, which call the system refused. Undefined where the status says all.
   */
  readonly detail: string | undefined;
}

/** Every status of the C API by its name: `status.E_EMPTY === -3`. */
export const status: Readonly<Record<string, number>>;

declare abstract class SharedObject {
  /** The name it was created or opened under; undefined for an anonymous or inherited one. */
  readonly name: string | undefined;
  readonly closed: boolean;
  /**
   * Gives this handle up; waits on it reject with E_CLOSED. Messages and slots on loan stay until they are settled.
   * A second close does nothing.
   */
  close(): void;
  /** A new descriptor of the object, to hand to a child in `stdio` or over a socket. Yours to close. */
  shareFd(): number;
  [Symbol.dispose](): void;
}

/** A queue between processes. `Out` is what a get gives, `In` what a put takes. */
export class Queue<Out = Buffer, In = Bytes> extends SharedObject implements AsyncIterable<Out> {
  private constructor();
  static create(options?: QueueOptions & { format?: '' }): Queue;
  static create<T = any>(options: QueueOptions & { format: 'msgpack' }): Queue<T, T>;
  static create<Out, In>(options: QueueOptions): Queue<Out, In>;
  static open<Out = any, In = any>(name: string): Queue<Out, In>;
  /** In a child: the queue that the parent gave it under this name. */
  static inherited<Out = any, In = any>(name: string): Queue<Out, In>;
  /** The object behind a descriptor of `shareFd`, which stays yours. */
  static fromFd<Out = any, In = any>(fd: number): Queue<Out, In>;

  readonly format: string;
  readonly joinable: boolean;

  /** False when the queue is full. */
  tryPut(value: In): boolean;
  put(value: In, options?: WaitOptions): Promise<void>;
  /** How many were put, from the first on, before the queue was full. */
  tryPutMany(values: readonly In[]): number;
  /** Resolves to how many were put: fewer than given only when the wait ended early after the first. */
  putMany(values: readonly In[], options?: WaitOptions): Promise<number>;

  /** Undefined when the queue is empty; a nil of MessagePack is null. */
  tryGet(): Out | undefined;
  get(options?: WaitOptions): Promise<Out>;
  /** At most `max` (and 1,024) messages; an empty array when there is none. */
  tryGetMany(max: number): Out[];
  /** Waits for the first only. */
  getMany(max: number, options?: WaitOptions): Promise<Out[]>;

  tryTake(): Message<Out> | undefined;
  /** A message that stays in flight until it is settled; if this process dies it is delivered again. */
  take(options?: WaitOptions): Promise<Message<Out>>;
  tryTakeMany(max: number): Message<Out>[];
  takeMany(max: number, options?: WaitOptions): Promise<Message<Out>[]>;
  /** A dead letter, undefined when there is none. */
  takeDead(): Message<Out> | undefined;

  tryReserve(length: number): Slot | undefined;
  /** Room for a message to be written in place, undefined bytes at first. */
  reserve(length: number, options?: WaitOptions): Promise<Slot>;

  /** Settles the oldest message that this process got. */
  taskDone(): void;
  /** Resolves when nothing is unfinished. */
  join(options?: WaitOptions): Promise<void>;
  /** Puts fail with E_SHUTDOWN from now on; gets drain first, unless it is immediate. */
  shutdown(options?: { immediate?: boolean }): void;
  readonly length: number;
  readonly isEmpty: boolean;
  readonly isFull: boolean;
  info(): QueueInfo;

  /** Gets until the queue is shut down and drained. */
  values(options?: WaitOptions): AsyncIterableIterator<Out>;
  /** Takes until the queue is shut down and drained; each message is yours to settle. */
  messages(options?: WaitOptions): AsyncIterableIterator<Message<Out>>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Out>;
}

/** A message taken from a queue and not yet settled. */
export class Message<T = Buffer> {
  private constructor();
  /**
   * Its bytes. Throws once it is settled. Of a long message a view of shared memory, detached at `done()` and `return()`.
   */
  readonly data: Buffer;
  /** What `get()` would have given: a copy, yours to keep. Throws once it is settled. */
  readonly value: T;
  readonly length: number;
  readonly id: bigint;
  /** 1 the first time. */
  readonly deliveries: number;
  readonly settled: boolean;
  /** Finished with it; on a joinable queue this is its `taskDone`. */
  done(): void;
  /** Finished with all of these, with less work for each. */
  static doneMany(messages: readonly Message<any>[]): void;
  /** Gives it back, first in line, with one more delivery. */
  return(): void;
  /** Returns it unless it is settled. */
  [Symbol.dispose](): void;
}

/** Room in a queue for one message. */
export class Slot {
  private constructor();
  /** Where the message is written, until commit or abort. */
  readonly data: Buffer;
  readonly length: number;
  readonly settled: boolean;
  /** Sends the first `length` bytes of it; absent: all. */
  commit(length?: number): void;
  abort(): void;
  /** Aborts unless it is settled. */
  [Symbol.dispose](): void;
}

/** The lock, held. Disposing of it releases the lock. */
export interface Held {
  /** The last holder died inside: check what the lock guards. */
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
  /** Undefined when another holds it. */
  tryAcquire(): Held | undefined;
  acquire(options?: WaitOptions): Promise<Held>;
  release(): void;
  /** Runs `work` while holding the lock. */
  hold<R>(work: (held: Held) => R | PromiseLike<R>, options?: WaitOptions): Promise<R>;
  readonly isLocked: boolean;
}

/** Who takes an rlock: a number of your choice, above 0. Absent: the task whose `hold` this runs in, else this thread. */
export interface OwnerOptions {
  owner?: number;
}

/** A recursive lock between processes: its owner may take it again, and only its owner releases it. */
export class RLock extends SharedObject {
  private constructor();
  static create(options?: CreateOptions): RLock;
  static open(name: string): RLock;
  static inherited(name: string): RLock;
  static fromFd(fd: number): RLock;
  /** Undefined when another owner holds it. */
  tryAcquire(options?: OwnerOptions): Held | undefined;
  acquire(options?: WaitOptions & OwnerOptions): Promise<Held>;
  /** E_NOT_OWNER when another holds it. */
  release(options?: OwnerOptions): void;
  /**
   * Runs `work` while holding it, as a task of its own: what runs in there, also after an await, takes it again at once,
   * and no other task does.
   */
  hold<R>(work: (held: Held) => R | PromiseLike<R>, options?: WaitOptions & OwnerOptions): Promise<R>;
  /** How often its owner, whoever that is, has taken it. */
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

/** What is waited for under a lock, until another notifies. */
export class Condition extends SharedObject {
  private constructor();
  static create(options?: CreateOptions): Condition;
  static open(name: string): Condition;
  static inherited(name: string): Condition;
  static fromFd(fd: number): Condition;
  /**
   * Releases the lock, which you hold, waits until notified and takes it again. However it ends, by E_TIMEOUT or an abort
   * too, you hold the lock; that alone may take longer than `timeout`.
   */
  wait(lock: Lock, options?: WaitOptions): Promise<Held>;
  wait(lock: RLock, options?: WaitOptions & OwnerOptions): Promise<Held>;
  /** Waits until `predicate` gives something true, which is the result; it is asked with the lock held. */
  waitFor<R>(lock: Lock | RLock, predicate: () => R | PromiseLike<R>, options?: WaitOptions & OwnerOptions): Promise<R>;
  /** Lets up to `n` waits go, 1 when nothing is said. */
  notify(n?: number): void;
  notifyAll(): void;
}

export interface Party {
  /** 0 to parties - 1: each once in a round. */
  readonly index: number;
  /** The others are held until this one completes the round. */
  readonly isLeader: boolean;
}

/** A number of parties that wait for each other and go on together. */
export class Barrier extends SharedObject {
  private constructor();
  static create(parties: number, options?: CreateOptions): Barrier;
  static open(name: string): Barrier;
  static inherited(name: string): Barrier;
  static fromFd(fd: number): Barrier;
  /**
   * Resolves to this party's index. One that gives up, by timeout or abort, or dies breaks the barrier for all
   * (E_BROKEN_BARRIER). `action`, which all parties give, is run by one of them while the others are held; when it fails
   * the barrier is broken.
   */
  wait(options?: WaitOptions & { action?: () => unknown }): Promise<number>;
  /** The two steps of a wait with an action: the leader, once it is here, calls `complete`. */
  arrive(options?: WaitOptions): Promise<Party>;
  complete(ok?: boolean): void;
  /** Broken until it is reset. */
  abort(): void;
  reset(): void;
  readonly parties: number;
  readonly waiting: number;
  readonly isBroken: boolean;
}

export interface FormatOptions {
  /** What the messages are: "" bytes, "msgpack" values. Both ends say so for themselves. */
  format?: string;
}

/** One end of a pipe: whole messages, to and from the other end. */
export class Connection<Out = Buffer, In = Bytes> extends SharedObject implements AsyncIterable<Out> {
  private constructor();
  static inherited(name: string, options?: { format?: '' }): Connection;
  static inherited<T = any>(name: string, options: { format: 'msgpack' }): Connection<T, T>;
  static inherited<Out, In>(name: string, options?: FormatOptions): Connection<Out, In>;
  static fromFd(fd: number, options?: { format?: '' }): Connection;
  static fromFd<T = any>(fd: number, options: { format: 'msgpack' }): Connection<T, T>;
  static fromFd<Out, In>(fd: number, options?: FormatOptions): Connection<Out, In>;

  readonly format: string;

  /** False when there is no room; always so for a message over 1 MiB, which `send` hands over. */
  trySend(value: In): boolean;
  /** Resolves when the message is on its way; one over 1 MiB when it has been received. */
  send(value: In, options?: WaitOptions): Promise<void>;
  /** Undefined when there is no message. Throws E_EOF when the other end is closed and all was received. */
  tryRecv(): Out | undefined;
  recv(options?: WaitOptions): Promise<Out>;
  /** Whether a receive would not wait: there is a message, or the end of file. */
  tryPoll(): boolean;
  /** Waits for that; false when the time is over. */
  poll(options?: WaitOptions): Promise<boolean>;

  /** Receives until the end of file. */
  values(options?: WaitOptions): AsyncIterableIterator<Out>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Out>;
}

/** The two ends of a pipe. Not duplex: the first only receives, the second only sends. */
export function pipe(options?: { duplex?: boolean; format?: '' }): [Connection, Connection];
export function pipe<T = any>(options: { duplex?: boolean; format: 'msgpack' }): [Connection<T, T>, Connection<T, T>];
export function pipe<Out, In>(options?: FormatOptions & { duplex?: boolean }): [Connection<Out, In>, Connection<Out, In>];

export interface PeerOptions extends FormatOptions {
  /** The secret that both sides have to have. Absent: whoever comes is welcome. */
  authkey?: string | NodeJS.ArrayBufferView;
  /** Milliseconds that a handshake may take. Default: 10,000. */
  handshakeTimeout?: number;
  /** The longest message that the other side may send. Default: 256 MiB for a listener without a key, else 4 GiB - 1. */
  maxMessage?: number;
  /** HMAC-MD5 is good enough, which is all that Python up to 3.11 knows. Default: true. */
  allowMd5?: boolean;
}

export interface ListenerOptions extends PeerOptions {
  /** How many may stand in line and how many handshakes may be under way, at most 4,096. Default: 128. */
  backlog?: number;
  /** Lets other machines reach it without a key. */
  isPublic?: boolean;
}

/**
 * Where connections come from, over TCP or a unix socket, as Python's multiprocessing.connection: a Client of CPython is as
 * good a peer as one of polyproc. Whoever is silent, slow or wrong holds up nobody.
 */
export class Listener<Out = Buffer, In = Bytes> implements AsyncIterable<Connection<Out, In>> {
  private constructor();
  /**
   * `address`: "tcp://127.0.0.1:5000", port 0 for a free one; "tcp://[::1]:0"; "unix:/path"; "unix:@name", abstract,
   * without a file.
   */
  static create(address: string, options?: ListenerOptions & { format?: '' }): Listener;
  static create<T = any>(address: string, options: ListenerOptions & { format: 'msgpack' }): Listener<T, T>;
  static create<Out, In>(address: string, options?: ListenerOptions): Listener<Out, In>;
  readonly format: string;
  /** As `connect` takes it, with the port that was chosen. */
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
export function connect(address: string, options?: PeerOptions & WaitOptions & { format?: '' }): Promise<Connection>;
export function connect<T = any>(
  address: string,
  options: PeerOptions & WaitOptions & { format: 'msgpack' },
): Promise<Connection<T, T>>;
export function connect<Out, In>(address: string, options?: PeerOptions & WaitOptions): Promise<Connection<Out, In>>;

/**
 * A queue stands for a get from it, an event for being set, a connection for a receive, a listener for an accept, a process
 * and a task for its end.
 */
export type Waitable =
  | Queue<any, any>
  | { readonly put: Queue<any, any> }
  | Event
  | Connection<any, any>
  | Listener<any, any>
  | Process
  | Task;
/** Resolves to those of the items that are ready, one at least. Nothing is taken: another may be quicker. */
export function waitAny<T extends Waitable>(items: readonly T[], options?: WaitOptions): Promise<T[]>;

/** A descriptor, or what stands for one. */
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
  /** It dies with this process, in whatever way that ends, and may have no children. */
  daemon?: boolean;
  /**
   * It leads a process group of its own: what the terminal sends, as for Ctrl-C, reaches this process only. It must
   * not read from the terminal.
   */
  group?: boolean;
  /** What the child inherits, by the name it will ask for. */
  handles?: Readonly<Record<string, Shareable>>;
}

export class Process {
  private constructor();
  static spawn(options: ProcessOptions): Process;
  /** A process that someone else started. A child of Node's own is collected here then, and Node may miss its exit. */
  static adopt(pid: number): Process;
  readonly pid: number;
  readonly name: string;
  readonly daemon: boolean;
  readonly isAlive: boolean;
  /** Null while it runs; negative: the signal that ended it. */
  readonly exitCode: number | null;
  readonly closed: boolean;
  /** Resolves to the exit code. */
  join(options?: WaitOptions): Promise<number>;
  /** SIGTERM. */
  terminate(): void;
  /** SIGKILL. */
  kill(): void;
  signal(signal: NodeJS.Signals | number): void;
  /** Gives the handle up; the process goes on. */
  close(): void;
  [Symbol.dispose](): void;
}

export interface PoolOptions {
  /** The module whose exports are the functions; or */
  worker?: string | URL;
  /** any worker program, in any language, and its arguments. */
  argv?: readonly [string, ...string[]];
  /** How many workers. 0 or absent: one for each CPU that this process may use. */
  workers?: number;
  /** What arguments and results are: "msgpack", the default, values; "" bytes. */
  format?: string;
  /** Added to this process's environment. */
  env?: Readonly<Record<string, string>>;
  /** After so many tasks a worker is replaced. 0 or absent: never. */
  maxTasksPerWorker?: number;
  /** How often a task is begun whose worker dies. Absent: once, then it fails with E_WORKER_DIED. */
  maxAttempts?: number;
  /** Each worker leads a process group of its own: what the terminal sends, as for Ctrl-C, reaches this process only. */
  group?: boolean;
  /** A function that each worker calls before its first task, */
  initialiser?: string;
  /** and its argument. */
  initialiserValue?: unknown;
  /** What the workers inherit, by the name they will ask for. */
  handles?: Readonly<Record<string, Shareable>>;
}

export interface TaskOptions {
  /** Milliseconds from when a worker begins it: past them the worker is killed and the task fails with E_TIMEOUT. */
  timeLimit?: number;
  /** Cancels the task unless it has begun: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface MapOptions extends TaskOptions {
  /** How many values are one task, for which `timeLimit` counts; it is submitted when so many have come. */
  chunkSize?: number;
  /** Called with how many are done, of how many where that is known. */
  onProgress?: (done: number, total: number | undefined) => void;
}

export interface ImapOptions extends MapOptions {
  /** How many values are under way at most. Default: four for each worker. */
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
 * A task did not succeed. Its function failed (E_TASK_FAILED), and the message is what that threw; or the message says what
 * happened to which function: its worker died, its time was over, ...
 */
export class TaskError extends PolyprocError {
  constructor(status: number, message: string, workerStack?: string);
  /** Where in the worker it failed, if its language knows. */
  readonly workerStack: string | undefined;
}

/** A task of a pool. It can be awaited like a promise; nobody need do so. */
export class Task<R = any> implements Promise<R> {
  private constructor();
  readonly [Symbol.toStringTag]: string;
  readonly isOver: boolean;
  /** The result; `timeout` and `signal` end the wait, not the task. */
  result(options?: WaitOptions): Promise<R>;
  /** True when it is not begun any more; then it rejects with E_CANCELED. */
  cancel(): boolean;
  then<A = R, B = never>(
    onFulfilled?: ((result: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B>;
  catch<B = never>(onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<R | B>;
  finally(onFinally?: (() => void) | null): Promise<R>;
}

/**
 * Worker processes that are given tasks: functions by name. A worker that dies is replaced and costs only its task. The
 * workers end with this process, in whatever way that ends.
 */
export class Pool {
  private constructor();
  static create(options: PoolOptions): Pool;
  readonly format: string;
  readonly closed: boolean;
  /** Hands a task to the workers. */
  submit<R = any>(name: string, value?: unknown, options?: TaskOptions): Task<R>;
  /** Submits a task and waits for its result. A task that has begun when the wait ends goes on, for nothing. */
  apply<R = any>(name: string, value?: unknown, options?: WaitOptions & TaskOptions): Promise<R>;
  /** The results in the order of the values, or the first error. */
  map<R = any>(name: string, values: Iterable<unknown>, options?: MapOptions): Promise<R[]>;
  /**
   * The results in the order of the values, each as soon as it is there. The values are read meanwhile, as far as the window
   * has room: the source may wait for something, also for those results. Where it fails, the results of the values before
   * come first, then its error.
   */
  imap<R = any>(name: string, values: Iterable<unknown> | AsyncIterable<unknown>, options?: ImapOptions): AsyncGenerator<R, void, void>;
  /** The same in the order in which the results come. */
  imapUnordered<R = any>(
    name: string,
    values: Iterable<unknown> | AsyncIterable<unknown>,
    options?: ImapOptions,
  ): AsyncGenerator<R, void, void>;
  /** No more tasks; those that are there are done. */
  close(): void;
  /** Ends the workers, and every task that is not over with E_SHUTDOWN. */
  terminate(): void;
  /** After one of these: resolves when nothing is left of it. */
  join(options?: WaitOptions): Promise<void>;
  /** Gives the handle up: what still runs is killed. */
  free(): void;
  workerPids(): number[];
  info(): PoolInfo;
  /** Closes, joins and frees it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Whether a pool has started this process as one of its workers. */
export function isWorker(): boolean;
/** A worker program in Node: does tasks, by the functions of these names, until the pool has no more. */
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
/** SIGTERM to the daemonic children; resolves when all children have ended. */
export function exitChildren(): Promise<void>;
/** Whether that is done, and waited for, when this process ends normally. It is, unless it is switched off. */
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
/** Removes a name; whoever has the object open keeps it. */
export function unlink(name: string): void;
/** The version of the library. */
export const version: string;
