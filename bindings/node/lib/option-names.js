'use strict';

// The options of every function. Any other name is an error, because otherwise a wrong name would
// be ignored in silence.

const wait = ['timeout', 'signal'];
const owner = ['owner'];
const create = ['name', 'mode', 'openOrCreate'];
const format = ['format'];
const peer = [...format, 'authkey', 'handshakeTimeout', 'maxMessage', 'allowMd5'];
const task = ['timeLimit', 'signal'];
const map = [...task, 'chunkSize', 'onProgress'];

module.exports = {
  wait,
  owner,
  create,
  format,
  task,
  map,
  queue: [...create, 'joinable', 'maxItems', 'maxBytes', 'maxDeliveries', 'spinNs', 'format'],
  semaphore: [...create, 'initial', 'maximum', 'owned'],
  shutdown: ['immediate'],
  ownedWait: [...wait, ...owner],
  barrierWait: [...wait, 'action'],
  pipe: ['duplex', ...format],
  listener: [...peer, 'backlog', 'isPublic'],
  connect: [...peer, ...wait],
  process: ['argv', 'name', 'cwd', 'env', 'clearEnv', 'daemon', 'group', 'handles', 'stdin', 'stdout', 'stderr'],
  pool: [
    ...['worker', 'argv', 'workers', 'format', 'env', 'maxTasksPerWorker', 'maxAttempts', 'group'],
    ...['initialiser', 'initialiserValue', 'handles'],
  ],
  apply: [...task, 'timeout'],
  imap: [...map, 'window'],
};
