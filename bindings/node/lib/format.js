'use strict';

// The encodings of a queue's messages. Without a format they are bytes; 'msgpack' has values.

const { types } = require('node:util');
const { Decoder, EXT_TIMESTAMP, Encoder, ExtensionCodec, decodeTimestampExtension, encodeTimestampExtension } = require('@msgpack/msgpack');
const { PolyprocError } = require('./errors.js');
const { status } = require('./native.js');
const { HANDLE } = require('./symbols.js');
const { rangeError, readString, typeError } = require('./options.js');

const FORMAT_BYTES = 31;
const UINT32_MAX = 2 ** 32 - 1;
const INT32_MIN = -(2 ** 31);
const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MIN = -(2n ** 63n);

// The package decodes either all 64-bit integers as BigInt or none. Here an integer is a number if
// that is exact, else a BigInt. This overrides methods that the types of the package declare
// private, so the version of the package is pinned, and tests cover each case.

/** Classes whose content is not in their properties. */
const HOLDERS = [
  ...[types.isMap, types.isSet, types.isRegExp, types.isNativeError, types.isBoxedPrimitive, types.isPromise],
  (value) => value instanceof Error || HANDLE in value,
];

/**
 * Checks an object of a class of its own. Its properties are sent, as those of any object. An
 * object that has no properties, or also other contents, would arrive as {} or in part, so it is
 * refused.
 */
function checkInstance(object, prototype) {
  if (Object.getPrototypeOf(prototype) === null) return; // of another realm
  if (Object.keys(object).length > 0 && !HOLDERS.some((holds) => holds(object))) return;
  throw new Error(`an instance of ${prototype.constructor?.name || 'a class'}: give a plain object, an array or bytes`);
}

const extensions = new ExtensionCodec();
extensions.register({
  type: EXT_TIMESTAMP,
  encode(object) {
    if (types.isDate(object) && Number.isNaN(object.getTime())) throw new Error('an invalid Date');
    return encodeTimestampExtension(object);
  },
  decode: decodeTimestampExtension,
});

class StrictEncoder extends Encoder {
  encodeMap(object, depth) {
    const prototype = Object.getPrototypeOf(object);
    if (prototype === Object.prototype || prototype === null) {
      super.encodeMap(object, depth);
    } else if (types.isAnyArrayBuffer(object)) {
      this.encodeBinary(new Uint8Array(object));
    } else {
      checkInstance(object, prototype);
      super.encodeMap(object, depth);
    }
  }

  encodeNumber(value) {
    if (Number.isSafeInteger(value) && (value > UINT32_MAX || value < INT32_MIN)) {
      super.encodeBigInt64(BigInt(value)); // it would write a float
    } else if (Object.is(value, -0)) {
      this.encodeNumberAsFloat(value);
    } else {
      super.encodeNumber(value);
    }
  }

  encodeBigInt64(value) {
    if (value > UINT64_MAX || value < INT64_MIN) throw rangeError('an integer', 'of at most 64 bits', value);
    super.encodeBigInt64(value);
  }
}

function numberIfExact(value) {
  return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value;
}

class IntegerDecoder extends Decoder {
  readU64AsBigInt() {
    return numberIfExact(super.readU64AsBigInt());
  }

  readI64AsBigInt() {
    return numberIfExact(super.readI64AsBigInt());
  }
}

const options = { useBigInt64: true, extensionCodec: extensions };
const encoder = new StrictEncoder(options);
const decoder = new IntegerDecoder(options);

const msgpack = {
  /** The result is valid until the next encode: puts copy it. */
  encode(value) {
    try {
      return encoder.encodeSharedRef(value);
    } catch (error) {
      if (error?.constructor !== Error) throw error;
      throw new TypeError(`not a value of MessagePack: ${error.message}`, { cause: error });
    }
  },
  /** A list of messages needs a copy of each. */
  encodeOwn(value) {
    return msgpack.encode(value).slice();
  },
  decode(bytes) {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new PolyprocError(status.E_MISMATCH, 'a message that is not MessagePack', { cause });
    }
  },
};

const bytes = {
  /** The native side checks the type. */
  encode: (value) => value,
  /** All of them must be bytes before the first is put. */
  encodeOwn(value, what = 'a message') {
    if (!ArrayBuffer.isView(value) && !types.isArrayBuffer(value)) {
      throw typeError(what, 'a Buffer, TypedArray, DataView or ArrayBuffer', value);
    }
    return value;
  },
  decode: (value) => value,
};

/**
 * Returns the label of a queue, connection or pool. Without one its messages are bytes, and 'bytes'
 * means that too, as in Python.
 */
function readFormat(value = '') {
  if (Buffer.byteLength(readString(value, 'format')) > FORMAT_BYTES) {
    throw rangeError('format', `at most ${FORMAT_BYTES} bytes long`, value);
  }
  return value === 'bytes' ? '' : value;
}

/**
 * Returns the codec for a label. Messages with an unknown label are bytes, for the program to
 * decode.
 */
function codecOf(format) {
  if (format === 'msgpack') return msgpack;
  if (format === '') return bytes;
  const what = `a message of the format "${format}", which polyproc does not encode,`;
  const encode = (value) => bytes.encodeOwn(value, what);
  return { encode, encodeOwn: encode, decode: bytes.decode };
}

module.exports = { codecOf, readFormat };
