'use strict';

// Acquires an object by name, says so, and keeps it.

const polyproc = require('../..');

const [, , kind, name, times = '1'] = process.argv;
const object = polyproc[kind].open(name);
for (let i = 0; i < Number(times); i++) object.tryAcquire();
globalThis.gc?.();
console.log('holds');
setInterval(() => globalThis.gc?.(), 5);
