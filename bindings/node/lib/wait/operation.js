'use strict';

const { status } = require('../native.js');

/** No answer, for an operation that has no such status. */
const NEVER = Symbol('never');

/**
 * An operation that may have to wait, for `perform`. All have one shape, so V8 reads their
 * properties quickly.
 */
class Operation {
  constructor(of) {
    /** The name in errors. */
    this.what = of.what;
    /**
     * `(handle, argument)`: tries the operation once; absent: it cannot be tried, and always waits.
     */
    this.attempt = of.attempt;
    /** An attempt cannot be undone, so it is made only for a caller without time to wait. */
    this.isBinding = of.isBinding ?? false;
    /** If true, the operation is tried even if others wait. */
    this.barges = of.barges ?? false;
    /** The status of an attempt that would have to wait, and of a wait whose time is over. */
    this.late = of.late;
    /** `(owner, answer, argument)`: returns the result of an attempt, or throws */
    this.atOnce = of.atOnce;
    /** As `atOnce`, for the answer of a wait. */
    this.later = of.later ?? of.atOnce;
    /**
     * If true, it waits for its owner's readiness and is tried again; else a native thread waits.
     */
    this.polled = of.polled ?? false;
    /** The operation of such a thread: constants.WAIT_*. */
    this.code = of.code;
    /** `(handle, argument, code)`: begins the thread's wait, right after the attempt */
    this.begin = of.begin;
    /** The index of its owner's count of these waits, which stand in line. */
    this.direction = of.direction;
    /** The status of an attempt that only `finish` can complete. */
    this.elsewhere = of.elsewhere ?? NEVER;
    /** `(wait, readiness)` */
    this.finish = of.finish;
    /** The options beside those of a wait: a list of option-names.js. */
    this.options = of.options;
    /** The status that ends a loop over the results. */
    this.end = of.end;
  }

  /**
   * Whether an attempt would have to wait. It also does if another process holds an internal lock of
   * the object for too long: that process may have been preempted.
   */
  isLate(answer) {
    return answer === this.late || answer === status.E_TIMEOUT;
  }
}

module.exports = { Operation };
