// The common part of the Node programs: the harness's arguments, the contents of a message,
// percentiles.

const MIX = 0x9e3779b9;

export function parse(args) {
  const run = { workload: args[0], mode: 'copy', size: 64, capacity: 1024, producers: 1, consumers: 1, warm: 50, ms: 250 };
  for (const arg of args.slice(1)) {
    const [name, value] = arg.split('=');
    run[name] = name === 'mode' ? value : Number(value);
  }
  if (run.producers !== 1 || run.consumers !== 1) throw new Error('one producer and one consumer only');
  return run;
}

// Writes the number of the message as its first word and a word made of it as its last.
export function stamp(message, tag) {
  message.writeUInt32LE((tag ^ MIX) >>> 0, message.length - 4);
  message.writeUInt32LE(tag, 0);
}

export function check(message, size, tag) {
  if (message.length !== size || message.readUInt32LE(0) !== tag ||
      message.readUInt32LE(size - 4) !== (tag ^ MIX) >>> 0) {
    throw new Error(`a wrong message where ${tag} should be`);
  }
}

export function percentiles(times) {
  times.sort((a, b) => a - b);
  const at = part => times[Math.floor(part * (times.length - 1))];
  return {
    rounds: times.length, min_ns: at(0), p50_ns: at(0.5), p90_ns: at(0.9), p99_ns: at(0.99), p99_9_ns: at(0.999),
    p99_99_ns: at(0.9999), max_ns: at(1),
  };
}

export const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
