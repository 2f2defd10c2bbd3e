/// <reference types="node" />

/** What a queue without a format takes as a message. Strings are not bytes: use `Buffer.from(text)`. */
export type Bytes = NodeJS.ArrayBufferView | ArrayBuffer;

/** An object that another process can inherit by name. */
export type Shareable = Queue<any, any> | Lock | Semaphore | Event;

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
  /** Open the object where the name exists, rather than fail with E_EXISTS. */
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
  /** What the messages are: "" bytes, "msgpack" values; any other label is for you to read. */
  format?: string;
}

export interface SemaphoreOptions extends CreateOptions {
  /** Permits at the start. Default 1. */
  initial?: number;
  /** 0 or absent: unbounded. */
  maximum?: number;
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
  constructor(status: number, what: string, options?: ErrorOptions);
  name: 'PolyprocError';
  /** The status's name: "E_EMPTY", "E_CLOSED", ... or for an error of the operating system its errno's: "EBADF". */
  readonly code: string;
  /** The number that the C API gave. */
  readonly status: number;
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
  /** Its bytes, until it is settled: a long message is a view of shared memory, detached at `done()` and `return()`. */
  readonly data: Buffer;
  /** What `get()` would have given: a copy, yours to keep. */
  readonly value: T;
  readonly length: number;
  readonly id: bigint;
  /** 1 the first time. */
  readonly deliveries: number;
  readonly settled: boolean;
  /** Finished with it; on a joinable queue this is its `taskDone`. */
  done(): void;
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
/** Removes a name; whoever has the object open keeps it. */
export function unlink(name: string): void;
/** The version of the library. */
export const version: string;
