// Makes requests of child.js, and reads its answers byte for byte.
'use strict';
const assert = require('node:assert');
const { fork } = require('node:child_process');
const { on, once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const child = fork(path.join(__dirname, 'child.js'));
const ended = new AbortController();
child.once('exit', () => ended.abort());
const messages = on(child, 'message', { signal: ended.signal });
let lastId = 0;

// Returns the next message of the child. Throws if there is none because the child has ended.
async function next() {
  const { value: [message] } = await messages.next();
  return message;
}

function ask(method, params, more = {}) {
  const id = ++lastId;
  child.send({ jsonrpc: '2.0', id, method, params, ...more });
  return id;
}

async function answerOf(method, params, more) {
  const id = ask(method, params, more);
  const { jsonrpc, id: answered, ...rest } = await next();
  assert.deepStrictEqual([jsonrpc, answered], ['2.0', id]);
  return rest;
}

const failure = (code, message, data) => ({
  error: { code, message, ...(data === undefined ? {} : { data }) },
});

async function testAnswers() {
  assert.deepStrictEqual(await answerOf('add', { a: 1, b: 2 }), { result: 3 });
  assert.deepStrictEqual(await answerOf('echo', [1, null]), { result: [1, null] });
  assert.deepStrictEqual(await answerOf('nothing'), { result: null });
  assert.deepStrictEqual(await answerOf('no'), failure(-32601, 'no method no'));
  assert.deepStrictEqual(await answerOf('toString'), failure(-32601, 'no method toString'));
  assert.deepStrictEqual(await answerOf('throw'), failure(-32603, 'thrown'));
  assert.deepStrictEqual(await answerOf('throw a text'), failure(-32603, 'text'));
  const own = { code: 7, message: 'own', data: [1] };
  assert.deepStrictEqual(await answerOf('fail', own), { error: own });
  assert.strictEqual((await answerOf('circular')).error.code, -32603);
}

async function testProgress() {
  const id = ask('count', 2);
  for (const value of [1, 2]) {
    const params = { token: id, value };
    assert.deepStrictEqual(await next(), { jsonrpc: '2.0', method: '$/progress', params });
  }
  assert.deepStrictEqual(await next(), { jsonrpc: '2.0', id, result: 'count' });
  assert.deepStrictEqual(await answerOf('late'), { result: null });
  assert.deepStrictEqual(await next(), { late: false });
}

async function testStops() {
  const id = ask('wait');
  child.send({ jsonrpc: '2.0', id, method: 'wait' });
  assert.deepStrictEqual((await next()).error, { code: -32600, message: 'the id is in use' });
  child.send({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id } });
  assert.strictEqual((await next()).error.code, -32800);
  child.send({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id } });  // it has been answered
  assert.strictEqual((await answerOf('wait', null, { timeout: 20 })).error.code, -32800);
  assert.strictEqual((await answerOf('add', { a: 1, b: 2 }, { timeout: 1e300 })).result, 3);
  assert.deepStrictEqual(await answerOf('stops'), { result: 2 });
}

async function testOtherMessages() {
  for (const message of [{ text: 1 }, { text: 2, method: 5, id: 1 }, { text: 3, method: 'add' }]) {
    child.send(message);
    assert.deepStrictEqual(await next(), message);
  }
  child.send({ jsonrpc: '2.0', id: 'own', method: 'add', params: { a: 1, b: 1 } });
  assert.deepStrictEqual(await next(), { jsonrpc: '2.0', id: 'own', result: 2 });
}

async function testHandle() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  child.send({ jsonrpc: '2.0', id: 1, method: 'handle' }, server);
  assert.strictEqual((await next()).result, port);
  server.close();
}

// The child stops what it does when its parent leaves.
async function testEnd() {
  ask('outlive');
  await answerOf('nothing');
  child.disconnect();
  assert.deepStrictEqual(await once(child, 'exit'), [7, null]);
}

(async () => {
  await testAnswers();
  await testProgress();
  await testStops();
  await testOtherMessages();
  await testHandle();
  await testEnd();
})().catch((error) => {
  child.kill('SIGKILL');
  throw error;
});
