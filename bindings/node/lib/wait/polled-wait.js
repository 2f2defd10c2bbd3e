'use strict';

// A wait that tries its operation each time its object is ready.

const { Wait } = require('./wait.js');

class PolledWait extends Wait {
  constructor(readiness, owner, operation, argument, how, resolve, reject) {
    super(owner, operation, argument, how, resolve, reject);
    this.readiness = readiness;
    this.next = undefined;
    this.previous = undefined;
  }

  cancel(reason) {
    this.readiness.remove(this);
    this.readiness.stopIfIdle();
    this.reject(reason);
  }
}

module.exports = { PolledWait };
