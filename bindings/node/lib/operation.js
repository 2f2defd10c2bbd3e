'use strict';

/** Something that may have to wait, as `perform` does it. All of one shape, which makes the use of each quick. */
class Operation {
  constructor(of) {
    /** What it is called in errors. */
    this.what = of.what;
    /** `(handle, argument)`: tries it once; none: it is never done at once. */
    this.attempt = of.attempt;
    /** An attempt is final, and made only where there is no time to wait. */
    this.isBinding = of.isBinding ?? false;
    /** It is tried even if others wait. */
    this.barges = of.barges ?? false;
    /** The status that says that it cannot be had at once, and that the time is over. */
    this.late = of.late;
    /** `(owner, answer, argument)`: the result of such a try, or throws. */
    this.atOnce = of.atOnce;
    /** Likewise of what a wait answered. */
    this.later = of.later ?? of.atOnce;
    /** It is tried again whenever its owner is ready; else */
    this.polled = of.polled ?? false;
    /** constants.WAIT_*: a wait of the native side, */
    this.code = of.code;
    /** `(handle, argument, code)`: begins that, right after the attempt; */
    this.begin = of.begin;
    /** and the place of its owner's count of such waits, which queue. */
    this.direction = of.direction;
    /** The answer of an attempt that can be done only by */
    this.elsewhere = of.elsewhere;
    /** `(waiting, line)`. */
    this.serve = of.serve;
    /** The options that the caller has beside those of a wait: a list of option-names.js. */
    this.options = of.options;
    /** The status that ends a loop over its results. */
    this.end = of.end;
  }
}

module.exports = { Operation };
