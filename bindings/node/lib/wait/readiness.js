'use strict';

// The readiness of an object, for all waits on it. The waits stand in a list; when the object's
// source reports it ready, they are tried one after the other. So a message wakes one wait, and
// waits need no threads.

const { PolyprocError } = require('../errors.js');

class Readiness {
  #source;
  #isReported = false; // the source reports
  #first; // of the PolledWaits
  #last;
  #listeners = new Set(); // each is called at every report
  #paused = 0; // how many waits of the list are being finished elsewhere: the others wait for that

  /**
   * `source`: between its `start(readiness)` and `stop(readiness)` it calls `report` when the
   * object is ready, and afterwards `stopIfIdle`.
   */
  constructor(handle, source) {
    this.handle = handle;
    this.number = -1; // for the source
    this.length = 0; // how many wait
    this.#source = source;
  }

  get isPaused() {
    return this.#paused > 0;
  }

  /** Returns 0, or the status that says why the source cannot report. */
  start() {
    if (this.#isReported) return 0;
    const answer = this.#source.start(this);
    this.#isReported = answer >= 0;
    return answer;
  }

  #stop() {
    if (!this.#isReported) return;
    this.#isReported = false;
    this.#source.stop(this);
  }

  /** Stops the source if nothing waits. */
  stopIfIdle() {
    if ((this.#first === undefined || this.isPaused) && this.#listeners.size === 0) this.#stop();
  }

  add(wait) {
    wait.previous = this.#last;
    if (this.#last === undefined) this.#first = wait;
    else this.#last.next = wait;
    this.#last = wait;
    this.length++;
    wait.startLimits();
  }

  remove(wait) {
    const { previous, next } = wait;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.length--;
    wait.endLimits();
  }

  addListener(listener) {
    this.#listeners.add(listener);
  }

  removeListener(listener) {
    this.#listeners.delete(listener);
    this.stopIfIdle();
  }

  /** Tries no wait of the list until `resume`. */
  pause() {
    this.#paused++;
    this.length++;
    this.stopIfIdle();
  }

  resume() {
    this.#paused--;
    this.length--;
    if (this.isPaused || (this.#first === undefined && this.#listeners.size === 0)) return;
    const answer = this.start();
    if (answer < 0) this.fail(answer);
  }

  /**
   * The object is ready, or was a moment ago. Waits that follow from the results are added after
   * this.
   */
  report() {
    for (const listener of this.#listeners) listener();
    while (this.#first !== undefined && !this.isPaused) {
      const wait = this.#first;
      const { operation, argument } = wait;
      let answer;
      try {
        answer = operation.attempt(this.handle, argument);
      } catch (error) {
        this.remove(wait);
        wait.reject(error);
        continue;
      }
      if (operation.isLate(answer)) break;
      this.remove(wait);
      if (answer === operation.elsewhere) operation.finish(wait, this);
      else wait.settle(answer);
    }
  }

  /** Ends all waits with an error. */
  fail(code) {
    this.#stop();
    for (const listener of [...this.#listeners]) listener(code);
    while (this.#first !== undefined) {
      const wait = this.#first;
      this.remove(wait);
      wait.reject(new PolyprocError(code, wait.operation.what));
    }
  }
}

module.exports = { Readiness };
