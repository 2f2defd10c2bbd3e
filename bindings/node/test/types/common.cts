// The same types by `require`.

import polyproc = require('polyproc');

const queue: polyproc.Queue = polyproc.Queue.create();
void queue;
