'use strict';

const { constants: os } = require('node:os');
const { check, checkMade } = require('./errors.js');
const { constants, native, numbers, status, LOAN } = require('./native.js');
const { TOKEN } = require('./object.js');
const { NAMES, rangeError, readBoolean, readInteger, readOptions, readString } = require('./options.js');
const { HANDLE, READINESS, WAITABLE } = require('./symbols.js');
const { readArgv, readEnv, readHandles } = require('./process-options.js');
const { Operation } = require('./wait/operation.js');
const { perform } = require('./wait/perform.js');
const { makeWaitable, polledItem } = require('./wait/waitable.js');

const PID_MAX = 2 ** 31 - 1;
const SIGNAL_MAX = 64;
const INHERIT = -1;

function readStdio(value, name) {
  if (value === 'inherit') return INHERIT;
  if (value === 'ignore') return constants.FD_NULL;
  if (typeof value === 'string') throw rangeError(name, "'inherit', 'ignore' or a descriptor", `'${value}'`);
  return readInteger(value, name, 0, PID_MAX);
}

function readSignal(signal) {
  if (typeof signal !== 'string') return readInteger(signal, 'signal', 1, SIGNAL_MAX);
  if (!Object.hasOwn(os.signals, signal)) throw rangeError('signal', 'the name of a signal', `'${signal}'`);
  return os.signals[signal];
}

function exitCodeOf(process, answer) {
  check(answer, 'join');
  check(native.processExitCode(process[HANDLE]), 'join');
  return numbers[LOAN];
}

const join = new Operation({
  polled: true,
  code: constants.WAIT_PROCESS, // where the kernel has no descriptors of processes
  direction: 0,
  barges: true,
  late: status.E_TIMEOUT,
  what: 'join',
  attempt: native.processJoin,
  atOnce: exitCodeOf,
  later: exitCodeOf,
});

class Process {
  #closed = false;

  constructor(token, handle) {
    if (token !== TOKEN) throw new TypeError('use Process.spawn or adopt');
    makeWaitable(this, handle);
    this.pid = native.processPid(handle);
    this.name = native.processName(handle);
    this.daemon = native.processIsDaemon(handle) === 1;
  }

  static spawn(options) {
    const { argv, name, cwd, env = {}, clearEnv = false, daemon = false, handles = {} } = readOptions(options, NAMES.process);
    const { stdin = 'inherit', stdout = 'inherit', stderr = 'inherit' } = options;
    const given = readHandles(handles);
    const flags =
      (readBoolean(daemon, 'daemon') ? constants.DAEMON : 0) |
      (readBoolean(clearEnv, 'clearEnv') ? constants.CLEAR_ENV : 0) |
      (readBoolean(options.group ?? false, 'group') ? constants.GROUP : 0);
    const handle = native.processSpawn(
      name === undefined ? undefined : readString(name, 'name'),
      cwd === undefined ? undefined : readString(cwd, 'cwd'),
      readArgv(argv),
      readEnv(env),
      flags,
      readStdio(stdin, 'stdin'),
      readStdio(stdout, 'stdout'),
      readStdio(stderr, 'stderr'),
      given.names,
      given.objects,
    );
    return new Process(TOKEN, checkMade(handle, `spawn ${argv[0]}`));
  }

  static adopt(pid) {
    return new Process(TOKEN, checkMade(native.processAdopt(readInteger(pid, 'pid', 1, PID_MAX)), `adopt ${pid}`));
  }

  get isAlive() {
    return check(native.processIsAlive(this[HANDLE]), 'isAlive') === 1;
  }

  get exitCode() {
    const answer = native.processExitCode(this[HANDLE]);
    if (answer === status.E_TIMEOUT) return null;
    check(answer, 'exitCode');
    return numbers[LOAN];
  }

  get closed() {
    return this.#closed;
  }

  join(options) {
    return perform(this, join, undefined, options);
  }

  [WAITABLE]() {
    return polledItem(this, () => !this.isAlive);
  }

  terminate() {
    this.signal('SIGTERM');
  }

  kill() {
    this.signal('SIGKILL');
  }

  signal(signal) {
    check(native.processSignal(this[HANDLE], readSignal(signal)), 'signal');
  }

  close() {
    this.#closed = true;
    this[READINESS].fail(status.E_CLOSED);
    native.close(this[HANDLE]);
  }
}
if (Symbol.dispose) {
  Process.prototype[Symbol.dispose] = Process.prototype.close;
}

function current() {
  const [pid, parentPid, daemon, name] = checkMade(native.processCurrent(), 'current');
  return { pid, parentPid, name, daemon: daemon === 1 };
}

function activeChildren() {
  return checkMade(native.processChildren(), 'activeChildren');
}

const exiting = new Operation({
  code: constants.WAIT_CHILDREN,
  late: status.E_TIMEOUT,
  what: 'exitChildren',
  later: (owner, answer) => void check(answer, 'exitChildren'),
});

/** Sends SIGTERM to the daemonic children, and waits for the end of all children. */
async function exitChildren() {
  return perform(undefined, exiting);
}

/** Switches whether exitChildren runs when this process ends normally. */
function exitChildrenAtExit(on) {
  check(native.processChildrenAtExit(readBoolean(on, 'on') ? 1 : 0), 'exitChildrenAtExit');
}

module.exports = { Process, activeChildren, current, exitChildren, exitChildrenAtExit };
