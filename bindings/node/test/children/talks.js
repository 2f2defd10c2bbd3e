'use strict';

// Has the other end of a pipe: echoes until it shall leave, or says that it is there and receives
// no more.

const { Connection } = require('../..');

const end = Connection.inherited('end', { format: 'msgpack' });

const does = {
  async echoes() {
    for await (const value of end) {
      if (value === 'leave') return;
      await end.send(value);
    }
  },
  async waits() {
    await end.send('here');
    setInterval(() => {}, 1000);
  },
};

does[process.argv[2]]();
