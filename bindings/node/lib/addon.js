'use strict';

// The addon: the one that was built here, else the one that the package brings for this machine.

const machine = `linux-${process.arch}`;
const places = [
  '../build/polyproc.node',
  `../prebuilds/${machine}/polyproc.glibc.node`,
  `../prebuilds/${machine}/polyproc.musl.node`,
];

function load() {
  let cause;
  for (const place of places) {
    try {
      return require(place);
    } catch (error) {
      if (error.code === 'ERR_DLOPEN_FAILED') cause = error; // of another C library, or damaged
      else if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error(`polyproc has no addon that loads on ${process.platform}-${process.arch}`, { cause });
}

module.exports = { addon: load() };
