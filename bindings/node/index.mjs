// One instance for `import` and `require`: the objects of the one are those of the other.
import polyproc from './index.js';

export const {
  Barrier,
  Condition,
  Connection,
  Event,
  Lock,
  Message,
  PolyprocError,
  Process,
  Queue,
  RLock,
  Semaphore,
  Slot,
  activeChildren,
  current,
  list,
  pipe,
  status,
  unlink,
  version,
  waitAny,
} = polyproc;
