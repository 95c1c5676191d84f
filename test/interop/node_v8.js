// The Node child of node_v8.cpp, which needs --expose-internals: it reads and writes messages with
// the code that Node itself uses for `serialization: 'advanced'`. Messages are strings with one
// character per byte.
'use strict';
const assert = require('assert');
const util = require('util');
const { types } = util;
const { advanced } = require('internal/child_process/serialization');
const mappedValue = require('./mapped_value.js');
const RandomValue = require('./random_value.js');

const lengthSize = 4;

function toMessage(value) {
  let message;
  const channel = { writeBuffer: (request, bytes) => { message = Buffer.from(bytes); return 0; } };
  advanced.initMessageChannel(channel);
  advanced.writeChannelMessage(channel, {}, value);
  return message.toString('latin1', lengthSize);
}

function fromMessage(message) {
  const bytes = Buffer.alloc(lengthSize + message.length);
  bytes.writeUInt32BE(message.length);
  bytes.write(message, lengthSize, 'latin1');
  const channel = {};
  advanced.initMessageChannel(channel);
  const [value] = advanced.parseChannelMessages(channel, bytes);
  return value;
}

// Checks what deepStrictEqual() does not look at: that the same objects are in the same places, the
// order of Maps and Sets, the stacks of Errors, and how large an ArrayBuffer can become.
function checkSame(one, other, known = new Map()) {
  if (one === null || typeof one !== 'object') return assert(Object.is(one, other));
  if (known.has(one)) return assert.strictEqual(known.get(one), other);
  assert(![...known.values()].includes(other));
  known.set(one, other);
  assert.strictEqual(Object.getPrototypeOf(one), Object.getPrototypeOf(other));
  const both = (get) => checkSame(get(one), get(other), known);
  if (types.isMap(one) || types.isSet(one)) {
    const [values, others] = [one, other].map((all) => [...all].flat(types.isMap(all) ? 1 : 0));
    values.forEach((value, i) => checkSame(value, others[i], known));
  } else if (types.isNativeError(one)) {
    both((error) => error.stack);
    both((error) => error.cause);
  } else if (types.isAnyArrayBuffer(one)) {
    both((buffer) => buffer.maxByteLength);
  } else if (!ArrayBuffer.isView(one)) {
    for (const key of Object.keys(one)) both((object) => object[key]);
  }
}

function difference(value, message) {
  let result;
  try {
    result = fromMessage(message);
    assert.deepStrictEqual(result, value);
    checkSame(value, result);
    return null;
  } catch (error) {
    const [sent, received] = [value, result].map((one) => util.inspect(one, { depth: 9 }));
    return `${sent}\ncame back as\n${received}\n${error.message}`;
  }
}

// What issue 20 asks for.
function knownValues() {
  const circular = { name: 'circular', list: [] };
  circular.self = circular;
  circular.list.push(circular.list, { up: circular });
  return [
    Buffer.alloc(8 << 20, 'some bytes'),
    new Map([[new Map([[1, 2]]), new Map([['a', new Map()]])]]),
    new Date(1700000000000), 2n ** 200n - 1n, -(2n ** 200n), new Set([1, '1', {}]), circular,
    { hidden: undefined, zero: -0, holes: [1, , 3], error: new TypeError('bad', { cause: [1] }) },
  ];
}

let random;
let values;
const answers = {
  version: () => parseInt(process.versions.node, 10),
  start: ({ seed, lossy }) => { random = new RandomValue(seed, lossy); },
  make({ count }) {
    const next = () => random.next();
    values = count === undefined ? knownValues() : Array.from({ length: count }, next);
    return values.map((value) => [toMessage(value), JSON.stringify(mappedValue(value))]);
  },
  compare: ({ messages }) => messages.map((message, i) => difference(values[i], message)),
  echo: ({ messages }) => messages.map((message) => toMessage(fromMessage(message))),
};

process.on('message', (question) => process.send(answers[question.ask](question) ?? null));
