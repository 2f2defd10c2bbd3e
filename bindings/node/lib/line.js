'use strict';

// Waits that have a descriptor: those of one object stand in line, and when libuv says that the object is ready they
// are tried one after the other. No thread waits, however many promises do.

const { PolyprocError } = require('./errors.js');
const { native, numbers, ROW, LOAN } = require('./native.js');
const { Waiting } = require('./waiting.js');

const TURN = 1024; // of one object in one turn of the event loop

const lines = []; // those that are armed, by the number that the native side was given
const free = []; // numbers
let idle = []; // armed, and perhaps waited for by nobody any more

class LineWait extends Waiting {
  constructor(line, owner, operation, argument, how, resolve, reject) {
    super(owner, operation, argument, how, resolve, reject);
    this.line = line;
    this.next = undefined;
    this.previous = undefined;
  }

  cancel(reason) {
    this.line.remove(this);
    this.line.rest();
    this.reject(reason);
  }
}

class Line {
  #handle;
  #number = -1;
  #first;
  #last;
  #watchers = new Set(); // called when the object is ready, whoever stands in line
  #held = 0; // somebody of the line is served elsewhere: the others wait for that

  constructor(handle) {
    this.#handle = handle;
  }

  get isEmpty() {
    return this.#first === undefined && this.#held === 0;
  }

  get isHeld() {
    return this.#held > 0;
  }

  /** 0, or the status that says why there is no descriptor to wait for. */
  arm() {
    if (this.#number >= 0) return 0;
    const number = free.length > 0 ? free.pop() : lines.length;
    const answer = native.arm(this.#handle, number);
    if (answer < 0) {
      free.push(number);
      return answer;
    }
    this.#number = number;
    lines[number] = this;
    return answer;
  }

  #disarm() {
    if (this.#number < 0) return;
    native.disarm(this.#handle);
    lines[this.#number] = undefined;
    free.push(this.#number);
    this.#number = -1;
  }

  /** No descriptor is watched that nobody waits for. */
  rest() {
    if ((this.#first === undefined || this.#held > 0) && this.#watchers.size === 0) this.#disarm();
  }

  add(waiting) {
    waiting.previous = this.#last;
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
    waiting.watch();
  }

  remove(waiting) {
    const { previous, next } = waiting;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiting.unwatch();
  }

  addWatcher(watcher) {
    this.#watchers.add(watcher);
  }

  removeWatcher(watcher) {
    this.#watchers.delete(watcher);
    this.rest();
  }

  /** Nobody is served until `release`. */
  hold() {
    this.#held++;
    this.rest();
  }

  release() {
    this.#held--;
    if (this.#held > 0 || (this.#first === undefined && this.#watchers.size === 0)) return;
    const answer = this.arm();
    if (answer < 0) this.end(answer);
  }

  /** The object is ready, or was a moment ago. */
  serve() {
    for (const watcher of this.#watchers) watcher();
    for (let i = 0; i < TURN && this.#first !== undefined && this.#held === 0; i++) {
      const waiting = this.#first;
      const { operation, argument } = waiting;
      let answer;
      try {
        answer = operation.attempt(this.#handle, argument);
      } catch (error) {
        this.remove(waiting);
        waiting.reject(error);
        continue;
      }
      if (answer === operation.late) break;
      if (answer === operation.elsewhere) {
        this.remove(waiting);
        operation.serve(waiting, this);
      } else {
        this.remove(waiting);
        waiting.settle(answer);
      }
    }
    idle.push(this);
  }

  /** All waits end with an error. */
  end(code) {
    this.#disarm();
    for (const watcher of [...this.#watchers]) watcher(code);
    while (this.#first !== undefined) {
      const waiting = this.#first;
      this.remove(waiting);
      waiting.reject(new PolyprocError(code, waiting.operation.what));
    }
  }
}

native.startPoll(
  (count) => {
    const ready = [];
    for (let i = 0; i < count; i++) ready.push(lines[numbers[i * ROW + LOAN]]);
    for (const line of ready) line?.serve();
  },
  // Once those that were served have had their turn, and perhaps wait again.
  () => {
    const rested = idle;
    idle = [];
    for (const line of rested) line.rest();
  },
);

module.exports = { Line, LineWait };
