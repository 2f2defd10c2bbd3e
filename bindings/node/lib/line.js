'use strict';

// Waits that are tried again when their object is ready: those of one object stand in line, and are tried one after the
// other. No thread waits for each, however many promises do.

const { PolyprocError } = require('./errors.js');
const { Waiting } = require('./waiting.js');

const TURN = 1024; // of one object in one turn of the event loop

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
  #source;
  #isWatched = false;
  #first;
  #last;
  #watchers = new Set(); // called when the object is ready, whoever stands in line
  #held = 0; // somebody of the line is served elsewhere: the others wait for that

  /** `source`: watches the object, and calls `serve` when it is ready; asks `rest` whether it is to go on */
  constructor(handle, source) {
    this.handle = handle;
    this.number = -1; // for the source
    this.length = 0; // how many wait
    this.#source = source;
  }

  get isHeld() {
    return this.#held > 0;
  }

  /** 0, or the status that says why it cannot be watched. */
  watch() {
    if (this.#isWatched) return 0;
    const answer = this.#source.watch(this);
    this.#isWatched = answer >= 0;
    return answer;
  }

  #unwatch() {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#source.unwatch(this);
  }

  /** Nothing is watched that nobody waits for. */
  rest() {
    if ((this.#first === undefined || this.#held > 0) && this.#watchers.size === 0) this.#unwatch();
  }

  add(waiting) {
    waiting.previous = this.#last;
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
    this.length++;
    waiting.watch();
  }

  remove(waiting) {
    const { previous, next } = waiting;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.length--;
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
    this.length++;
    this.rest();
  }

  release() {
    this.#held--;
    this.length--;
    if (this.#held > 0 || (this.#first === undefined && this.#watchers.size === 0)) return;
    const answer = this.watch();
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
        answer = operation.attempt(this.handle, argument);
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
  }

  /** All waits end with an error. */
  end(code) {
    this.#unwatch();
    for (const watcher of [...this.#watchers]) watcher(code);
    while (this.#first !== undefined) {
      const waiting = this.#first;
      this.remove(waiting);
      waiting.reject(new PolyprocError(code, waiting.operation.what));
    }
  }
}

module.exports = { Line, LineWait };
