// A child that answers requests with the package in node/.
'use strict';
const { setTimeout: sleep } = require('node:timers/promises');
const { answer, RequestError } = require('../../node');

const hour = 3_600_000;
let stops = 0;

answer({
  add: ({ a, b }) => a + b,
  echo: async (params) => params,
  nothing() {},
  throw() { throw new TypeError('thrown'); },
  'throw a text'() { throw 'text'; },
  fail({ code, message, data }) { throw new RequestError(code, message, data); },
  circular() {
    const list = [];
    list.push(list);
    return list;
  },
  count(to, { progress, method }) {
    for (let n = 1; n <= to; ++n) progress(n);
    return method;
  },
  async wait(params, { signal }) {
    signal.addEventListener('abort', () => { ++stops; });
    await sleep(hour, null, { signal });
  },
  stops: () => stops,
  late(params, { progress }) {
    setImmediate(() => process.send({ late: progress(1) }));
  },
  handle: (params, { handle }) => {
    const { port } = handle.address();
    handle.close();
    return port;
  },
  async outlive(params, { signal }) {
    await sleep(hour, null, { signal }).catch(() => {});
    process.exitCode = 7;
  },
});

// Other messages are not the package's.
process.on('message', (message) => {
  if (message.text !== undefined) process.send(message);
});
