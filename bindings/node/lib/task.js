'use strict';

const { PolyprocError } = require('./errors.js');
const { native, status } = require('./native.js');
const { TOKEN } = require('./object.js');
const { readWait } = require('./options.js');
const { HANDLE, WAITABLE } = require('./symbols.js');
const { Wait } = require('./wait/wait.js');

/** The messages for tasks that ended without a text of their function. */
const ENDS = {
  [status.E_WORKER_DIED]: 'its worker died',
  [status.E_TIMEOUT]: 'it was over its time limit, and its worker was killed',
  [status.E_SHUTDOWN]: 'its pool was terminated or freed before it was over',
  [status.E_CANCELED]: 'it was cancelled before it began',
  [status.E_TASK_FAILED]: 'its function failed, and gave no message',
};

/**
 * A task that did not succeed. The message is the text of its function, in whatever language that
 * is.
 */
class TaskError extends PolyprocError {
  constructor(code, message, workerStack) {
    super(code, message);
    this.message = message;
    this.workerStack = workerStack;
  }
}
Object.defineProperty(TaskError.prototype, 'name', { value: 'TaskError', configurable: true, writable: true });

/** The text of a failure is its message, and after a NUL its stack. `what`: the task. */
function errorOf(code, text, what) {
  const end = text.indexOf(0);
  const message = text.toString('utf8', 0, end < 0 ? text.length : end);
  const stack = end < 0 ? undefined : text.toString('utf8', end + 1);
  return new TaskError(code, message || `${what}: ${ENDS[code] ?? native.strerror(code)}`, stack);
}

function textOf(message, stack) {
  return Buffer.from(stack === undefined ? message : `${message}\0${stack}`);
}

/** Waits for a task: a timeout or an abort ends the wait, not the task. */
class TaskWait extends Wait {
  #task;

  constructor(task, what, how, resolve, reject) {
    super(undefined, { what, late: status.E_TIMEOUT }, undefined, how, resolve, reject);
    this.#task = task;
  }

  cancel(reason) {
    this.endLimits();
    this.#task.forget(this);
    this.reject(reason);
  }

  end(outcome) {
    this.endLimits();
    outcome.settle(this.resolve, this.reject);
  }
}

class Task {
  #name;
  #tag;
  #decode;
  #outcome; // { settle(resolve, reject) }
  #waits = new Set();
  #signal;
  #onAbort = () => {
    if (this.cancel()) this.#reason = [this.#signal.reason];
  };
  #reason; // of the signal that cancelled it, in a list of one
  #onEnd;

  /** `name`: the function; `decode`: converts bytes to the result */
  constructor(token, pool, name, tag, decode, signal, onEnd) {
    if (token !== TOKEN) throw new TypeError('use pool.submit');
    this._pool = pool;
    this.#name = name;
    this.#tag = tag;
    this.#decode = decode;
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** The task as errors name it. */
  get #what() {
    return `task "${this.#name}"`;
  }

  get isOver() {
    return this.#outcome !== undefined;
  }

  cancel() {
    if (this.#outcome !== undefined || this._pool.closed) return false;
    return native.poolCancel(this._pool[HANDLE], this.#tag) === 1;
  }

  async result(options) {
    const how = readWait(options);
    if (this.#outcome !== undefined) return new Promise((resolve, reject) => this.#outcome.settle(resolve, reject));
    if (how.timeout <= 0) throw new PolyprocError(status.E_TIMEOUT, this.#what);
    return new Promise((resolve, reject) => {
      const wait = new TaskWait(this, this.#what, how, resolve, reject);
      this.#waits.add(wait);
      wait.startLimits();
    });
  }

  [WAITABLE]() {
    return { isReady: () => this.isOver, wait: (how) => this.#untilOver(how) };
  }

  /** Waits until the task is over, however it ends. */
  async #untilOver(how) {
    try {
      await this.result(how);
    } catch (error) {
      if (!this.isOver) throw error;
    }
  }

  /** A task can be awaited, like a promise. */
  then(onFulfilled, onRejected) {
    return this.result().then(onFulfilled, onRejected);
  }

  catch(onRejected) {
    return this.result().catch(onRejected);
  }

  finally(onFinally) {
    return this.result().finally(onFinally);
  }

  /** For TaskWait. */
  forget(wait) {
    this.#waits.delete(wait);
  }

  /** The pool calls this with the outcome. */
  end(token, code, bytes) {
    if (token !== TOKEN) throw new TypeError('a task ends by itself');
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#outcome = this.#outcomeOf(code, bytes);
    for (const wait of this.#waits) wait.end(this.#outcome);
    this.#waits.clear();
    this.#onEnd?.(this);
  }

  #outcomeOf(code, bytes) {
    try {
      if (code === status.E_CANCELED && this.#reason !== undefined) throw this.#reason[0];
      if (code < 0) throw errorOf(code, bytes, this.#what);
      const result = this.#decode(bytes);
      return { settle: (resolve) => resolve(result) };
    } catch (error) {
      return { settle: (resolve, reject) => reject(error) };
    }
  }
}

Object.defineProperty(Task.prototype, Symbol.toStringTag, { value: 'Task', configurable: true });

module.exports = { Task, TaskError, textOf };
