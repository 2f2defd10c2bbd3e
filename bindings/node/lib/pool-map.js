'use strict';

// One function for many values: a bounded window of chunks under way, their results in order or as they come.

const { readObject, typeError } = require('./options.js');

/** An iterator, async or not, of what can be iterated. */
function iteratorOf(values) {
  const iterator = values?.[Symbol.asyncIterator]?.() ?? values?.[Symbol.iterator]?.();
  if (iterator === undefined) throw typeError('values', 'iterable', values);
  return readObject(iterator, 'values');
}

/** The chunks that are under way, at most `window` values at a time. */
class Window {
  #submit;
  #iterator;
  #chunkSize;
  #window;
  #isAtEnd = false;
  #over; // called when one more is over
  #progress;
  #done = 0;
  under = []; // in their order
  size = 0; // of values

  constructor(submit, values, { chunkSize, window, onProgress, total }) {
    this.#submit = submit;
    this.#iterator = iteratorOf(values);
    this.#chunkSize = Math.min(chunkSize, window);
    this.#window = window;
    this.#progress = () => onProgress(this.#done, total);
  }

  /** Submits as much as the window allows; false when nothing is under way any more. */
  async fill() {
    while (!this.#isAtEnd && (this.size === 0 || this.size + this.#chunkSize <= this.#window)) {
      const chunk = [];
      while (chunk.length < this.#chunkSize) {
        const { value, done } = await this.#iterator.next();
        if (done) {
          this.#isAtEnd = true;
          break;
        }
        chunk.push(value);
      }
      if (chunk.length === 0) break;
      const count = chunk.length;
      this.size += count;
      const task = this.#submit(chunk, () => {
        this.#done += count;
        this.#over?.();
      });
      this.under.push({ task, count });
    }
    return this.under.length > 0;
  }

  /** Until the first of them is over, or any. */
  async untilOver(find, signal) {
    for (;;) {
      signal?.throwIfAborted();
      const at = find(this.under);
      if (at >= 0) return this.#take(at);
      await new Promise((resolve) => {
        const onAbort = () => resolve();
        signal?.addEventListener('abort', onAbort);
        this.#over = () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        if (find(this.under) >= 0) this.#over();
      });
    }
  }

  async #take(at) {
    const [{ task, count }] = this.under.splice(at, 1);
    this.size -= count;
    const results = await task.result();
    this.#progress();
    return results;
  }

  /** Left early: what has not begun is not begun any more. */
  async end() {
    for (const { task } of this.under) task.cancel();
    if (!this.#isAtEnd) await this.#iterator.return?.();
  }
}

async function* results(find, submit, values, options) {
  const window = new Window(submit, values, options);
  try {
    while (await window.fill()) yield* await window.untilOver(find, options.signal);
  } finally {
    await window.end();
  }
}

const isFirstOver = (under) => (under[0].task.isOver ? 0 : -1);
const isAnyOver = (under) => under.findIndex(({ task }) => task.isOver);

const ordered = (submit, values, options) => results(isFirstOver, submit, values, options);
const unordered = (submit, values, options) => results(isAnyOver, submit, values, options);

module.exports = { ordered, unordered };
