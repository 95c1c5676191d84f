// A JavaScript runtime as the parent of a C++ child that answers requests, and makes some. The child is
// test/programs/requests.
//
//   node parent.js CHILD
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

const [program] = process.argv.slice(2);
const { deno } = process.versions;

// The child, and the requests to it. It may ask for "add".
class Peer {
  constructor() {
    this.child = spawn(program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.ended = once(this.child, 'exit');
    this.waiting = new Map();
    this.messages = [];
    this.child.on('message', (message) => this.take(message));
  }

  send(message) {
    this.child.send({ jsonrpc: '2.0', ...message });
  }

  request(method, params, id = this.waiting.size + 1) {
    this.send({ id, method, params });
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  async result(method, params) {
    const { result, error } = await this.request(method, params);
    assert.strictEqual(error, undefined);
    return result;
  }

  async error(method, params) {
    const { result, error } = await this.request(method, params);
    assert.strictEqual(result, undefined);
    return error;
  }

  take(message) {
    const { id, method, params } = message;
    if (method === 'add') return this.send({ id, result: params.a + params.b });
    if (method !== undefined || id === undefined) return this.messages.push(message);
    assert.strictEqual(message.jsonrpc, '2.0');
    return this.waiting.get(id)(message);
  }
}

async function asks(peer) {
  assert.strictEqual(await peer.result('add', { a: 1, b: 2 }), 3);
  assert.strictEqual(await peer.result('join', ['Grüße', '😀']), 'Grüße😀');
  assert.strictEqual(await peer.result('nothing'), null);
  const { id } = await peer.request('echo', 1, 'an id');
  assert.strictEqual(id, 'an id');
  const error = { code: 7, message: 'failed', data: { why: ['so'] } };
  assert.deepStrictEqual(await peer.error('fail', error), error);
  assert.strictEqual((await peer.error('no such method')).code, -32601);
  assert.strictEqual((await peer.error('add', 1)).code, -32602);
  peer.send({ method: 'log', params: 5 });
  assert.strictEqual(await peer.result('logged'), 5);
  assert.strictEqual(await peer.result('ask', 100), 5050);
}

async function hearsProgress(peer) {
  const { id } = await peer.request('work', 3);
  const values = peer.messages.splice(0).map(({ method, params }) => [method, params]);
  assert.deepStrictEqual(values, [1, 2, 3].map((value) => ['$/progress', { token: id, value }]));
}

async function cancels(peer) {
  const waits = peer.request('wait', null, 'waits');
  assert.strictEqual(await peer.result('stops'), 0);
  peer.send({ method: '$/cancelRequest', params: { id: 'waits' } });
  const { error } = await waits;
  assert.strictEqual(error.code, -32800);
  assert.match(error.message, /^stopped/);
}

// Deno does not answer. Requests are answered meanwhile.
async function answersPing(peer) {
  let pong = null;
  const pings = peer.result('ping').then((took) => { pong = took; });
  assert.strictEqual(await peer.result('echo', 1), 1);
  if (!deno) await pings;
  assert.strictEqual(pong !== null, !deno);
  if (!deno) assert(pong >= 0);
}

async function ends(peer) {
  const exited = peer.ended;
  peer.child.disconnect();
  assert.deepStrictEqual(await exited, [0, null]);
  assert.deepStrictEqual(peer.messages, []);
}

async function dies(peer) {
  const exited = peer.ended;
  peer.request('keep').then(() => assert.fail('an answer'));
  peer.send({ method: 'die' });
  assert.deepStrictEqual(await exited, [null, 'SIGKILL']);
}

(async () => {
  const peer = new Peer();
  for (const scenario of [asks, hearsProgress, cancels, answersPing, ends]) await scenario(peer);
  await dies(new Peer());
})();
