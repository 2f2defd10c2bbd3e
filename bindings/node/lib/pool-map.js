'use strict';

// Maps: one function for many values, a bounded window of chunks, results in order or as they come.

const { readObject, typeError } = require('./options.js');

/** Returns an iterator, async or not, of an iterable. */
function iteratorOf(values) {
  const iterator = values?.[Symbol.asyncIterator]?.() ?? values?.[Symbol.iterator]?.();
  if (iterator === undefined) throw typeError('values', 'iterable', values);
  return readObject(iterator, 'values');
}

/** A promise that other code fulfils, and that never rejects. */
class Gate {
  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/**
 * Reads the values and submits them in chunks while fewer than `window` values are under way. It
 * runs beside the loop over the results, because the source may wait for something, also for those
 * results.
 */
class Feed {
  #submit;
  #iterator;
  #chunkSize;
  #window;
  #room = new Gate(); // opened when something was taken out, or the loop has ended
  #isLeft = false;
  #isReading = false;
  #isSourceAtEnd = false;
  #change = new Gate(); // opened when the loop should look again
  underWay = []; // { task, count }, in the order of the values
  size = 0; // of values in them
  isAtEnd = false; // no more is submitted
  failure; // why, in a list of one, when the source or a submit failed

  constructor(submit, values, { chunkSize, window }) {
    this.#submit = submit;
    this.#iterator = iteratorOf(values);
    this.#chunkSize = Math.min(chunkSize, window);
    this.#window = window;
  }

  async run() {
    try {
      while (!this.#isSourceAtEnd && !this.#isLeft) {
        if (this.size > 0 && this.size + this.#chunkSize > this.#window) await this.#untilRoom();
        else this.#add(await this.#readChunk());
      }
    } catch (error) {
      this.failure = [error];
    }
    this.isAtEnd = true;
    this.tell();
  }

  #untilRoom() {
    this.#room = new Gate();
    return this.#room.opened;
  }

  async #readChunk() {
    const chunk = [];
    while (chunk.length < this.#chunkSize && !this.#isLeft) {
      let step;
      this.#isReading = true;
      try {
        step = await this.#iterator.next();
      } catch (error) {
        // The values before the failure are completed as all others.
        this.failure = [error];
        step = { done: true };
      }
      this.#isReading = false;
      if (step.done) {
        this.#isSourceAtEnd = true;
        break;
      }
      chunk.push(step.value);
    }
    return chunk;
  }

  #add(chunk) {
    if (chunk.length === 0 || this.#isLeft) return;
    const one = { count: chunk.length, task: this.#submit(chunk, () => this.tell()) };
    this.underWay.push(one);
    this.size += one.count;
    this.tell();
  }

  tell() {
    this.#change.open();
  }

  /** Waits until something may have changed since the last call. */
  async untilChange() {
    await this.#change.opened;
    this.#change = new Gate();
  }

  take(at) {
    const [one] = this.underWay.splice(at, 1);
    this.size -= one.count;
    this.#room.open();
    return one;
  }

  /** Runs when the loop has ended: cancels the tasks that have not begun, and leaves the source. */
  async leave() {
    this.#isLeft = true;
    this.#room.open();
    for (const { task } of this.underWay) task.cancel();
    if (this.#isSourceAtEnd) return;
    const left = Promise.resolve(this.#iterator.return?.());
    // An async generator that is computing a value ends after that, perhaps never: do not wait for
    // it.
    if (this.#isReading) left.catch(() => {});
    else await left;
  }
}

async function* results(find, submit, values, options) {
  const { signal, total, onProgress } = options;
  const feed = new Feed(submit, values, options);
  const onAbort = () => feed.tell();
  signal?.addEventListener('abort', onAbort);
  let done = 0;
  feed.run();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const at = find(feed.underWay);
      if (at >= 0) {
        const { task, count } = feed.take(at);
        const chunk = await task.result();
        done += count;
        onProgress(done, total);
        yield* chunk;
      } else if (feed.isAtEnd && feed.underWay.length === 0) {
        if (feed.failure !== undefined) throw feed.failure[0];
        return;
      } else {
        await feed.untilChange();
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await feed.leave();
  }
}

const isFirstOver = (underWay) => (underWay[0]?.task.isOver ? 0 : -1);
const isAnyOver = (underWay) => underWay.findIndex(({ task }) => task.isOver);

const ordered = (submit, values, options) => results(isFirstOver, submit, values, options);
const unordered = (submit, values, options) => results(isAnyOver, submit, values, options);

module.exports = { ordered, unordered };
