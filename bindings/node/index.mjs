// One instance for `import` and `require`: the objects of the one are those of the other.
import polyproc from './index.js';

export const {
  Event,
  Lock,
  Message,
  PolyprocError,
  Process,
  Queue,
  Semaphore,
  Slot,
  activeChildren,
  current,
  status,
  unlink,
  version,
} = polyproc;
