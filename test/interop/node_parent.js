// Node as the parent of C++ programs. Runs one of the scenarios at the end of this file.
//
//   node node_parent.js PROGRAMS SCENARIO
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { values } = require('./advanced_values.js');
const { sample, largeText } = require('./sample.js');

const [programs, scenario] = process.argv.slice(2);
const running = new Set();

// Starts a program with a channel and collects its messages and its output in `messages` and
// `output`. At the end, each event must have been emitted once, after all messages. Node promises
// no other order of "disconnect", and emits no "close" if the parent has disconnected
// (nodejs/node#19433).
function start(program, { args = [], end = [0, null], ...options } = {}) {
  const child = launch(path.join(programs, program), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'], ...options,
  });
  const events = [];
  child.messages = [];
  child.on('message', (message) => {
    assert.deepStrictEqual(events, []);
    child.messages.push(message);
  });
  for (const name of ['disconnect', 'exit', 'close']) {
    child.on(name, (...values) => events.push([name, ...values]));
  }
  process.on('exit', () => {
    assert.deepStrictEqual(events.filter(([name]) => name === 'disconnect'), [['disconnect']]);
    const close = child.left ? [] : [['close', ...end]];
    assert.deepStrictEqual(events.filter(([name]) => name !== 'disconnect'), [['exit', ...end], ...close]);
  });
  return child;
}

function launch(program, args, options) {
  const child = spawn(program, args, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { child.output += text; });
  return child;
}

async function messages(child, count) {
  while (child.messages.length < count) await once(child, 'message');
}

async function end(child) {
  await Promise.all([once(child, 'disconnect'), once(child, 'exit'), once(child.stdout, 'end')]);
}

async function disconnect(child) {
  child.left = true;
  child.disconnect();
  await end(child);
}

const asJson = (value) => JSON.parse(JSON.stringify(value));

async function receiveFlood(how) {
  const count = 10_000;
  const child = start('flood', { args: [String(count), how] });
  await end(child);
  assert.strictEqual(child.messages.length, count);
  child.messages.forEach(({ number, text }, i) => {
    assert.strictEqual(number, i);
    assert.strictEqual(text.length, 1000);
  });
}

async function sendRefused(handle, times) {
  const child = start('obey', { args: ['refuse'] });
  child.send('handle', handle);
  child.send('after');
  await messages(child, times + 1);
  await disconnect(child);
  assert.strictEqual(child.messages.pop(), 'after');
  assert.strictEqual(child.messages.length, times);
  for (const { error } of child.messages) assert.match(error, /handle refused/);
}

async function listen() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

// Runs a parent whose child prints "disconnect" when it loses the parent. One of the two prints
// "ready" before that. They share a stdout, which is open until both have ended.
async function loseParent(program, args, kill, status) {
  const parent = launch(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (kill) {
    while (parent.output !== 'ready\n') await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
  }
  assert.deepStrictEqual(await once(parent, 'close'), status);
  assert.strictEqual(parent.output, 'ready\ndisconnect\n');
}

// The parent that loseParent() runs. It does not wait for its child. Both write to the same stdout.
function beParent(whenReady) {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  const child = spawn(path.join(programs, 'obey'), [], { stdio });
  child.send('hello');
  child.once('message', () => process.stdout.write('ready\n', whenReady));
}

const scenarios = {
  async messages() {
    const count = 2000;
    const child = start('echo');
    for (let i = 0; i < count; ++i) child.send(sample(i));
    await messages(child, count);
    child.messages.forEach((message, i) => assert.deepStrictEqual(message, asJson(sample(i))));
    await disconnect(child);
    assert.strictEqual(child.messages.length, count);
  },

  async any_value() {
    const values = [null, true, 0, -1.5, '', 'text', [], {}];
    const child = start('echo');
    for (const value of values) child.send(value);
    await messages(child, values.length);
    await disconnect(child);
    assert.deepStrictEqual(child.messages, values);
  },

  async lone_surrogates() {
    const child = start('echo');
    child.send({ text: 'a\ud800b\udc00', 'key\udfff': '\ud83d' });
    await messages(child, 1);
    await disconnect(child);
    assert.deepStrictEqual(child.messages, [{ text: 'a\ufffdb\ufffd', 'key\ufffd': '\ufffd' }]);
  },

  async large_messages() {
    const texts = [1, 32].map((mebibytes) => largeText(mebibytes * 2 ** 20));
    const child = start('echo');
    for (const text of texts) child.send(text);
    await messages(child, 2);
    await disconnect(child);
    assert(child.messages[0] === texts[0] && child.messages[1] === texts[1]); // too long to be printed
  },

  async parent_disconnects() {
    const child = start('obey');
    child.send('hello');
    await messages(child, 1);
    await disconnect(child);
    assert.deepStrictEqual(child.messages, ['hello']);
    assert.strictEqual(child.output, 'disconnect\n');
  },

  async child_disconnects() {
    const child = start('obey');
    child.send('hello');
    child.send('disconnect');
    await end(child);
    assert.deepStrictEqual(child.messages, ['hello']);
    assert.strictEqual(child.output, 'disconnect\n');
  },

  async child_exits() {
    const child = start('obey', { end: [42, null] });
    child.send('hello');
    child.send({ exit: 42 });
    await end(child);
    assert.deepStrictEqual(child.messages, ['hello']);
  },

  async child_is_killed() {
    const child = start('obey', { end: [null, 'SIGKILL'] });
    child.send('hello');
    await messages(child, 1);
    child.kill('SIGKILL');
    await end(child);
    assert.strictEqual(child.output, '');
  },

  parent_exits: () => loseParent(process.execPath, [
    __filename, programs, 'be_parent_that_exits',
  ], false, [3, null]),

  parent_is_killed: () => loseParent(process.execPath, [
    __filename, programs, 'be_parent',
  ], true, [null, 'SIGKILL']),

  cpp_parent_ends: () => loseParent(path.join(programs, 'parent'), [
    process.execPath, path.join(__dirname, 'node_child.js'), 'reportDisconnect', 'to parent',
  ], false, [0, null]),

  cpp_parent_is_killed: () => loseParent(path.join(programs, 'parent'), [
    process.execPath, path.join(__dirname, 'node_child.js'), 'reportDisconnect',
  ], true, [null, 'SIGKILL']),

  flood_then_exit: () => receiveFlood('exit'),
  flood_then_disconnect: () => receiveFlood('disconnect'),
  flood_then_natural_end: () => receiveFlood(''),

  async child_without_listener() {
    const child = start('channel_state');
    await end(child);
    assert.strictEqual(child.output, 'connected\n');
  },

  async advanced_values() {
    const child = start('echo', { serialization: 'advanced' });
    const sent = values();
    for (const value of sent) child.send({ value });
    await messages(child, sent.length);
    sent.forEach((value, i) => assert.deepStrictEqual(child.messages[i], { value }));
    await disconnect(child);
  },

  async advanced_messages() {
    const count = 2000;
    const child = start('echo', { serialization: 'advanced' });
    for (let i = 0; i < count; ++i) child.send(sample(i));
    await messages(child, count);
    child.messages.forEach((message, i) => assert.deepStrictEqual(message, sample(i)));
    await disconnect(child);
  },

  async server_is_refused() {
    const server = await listen();
    await sendRefused(server, 1);
    server.close();
  },

  async socket_is_refused() {
    const server = await listen();
    const socket = net.connect(server.address().port, '127.0.0.1');
    await once(socket, 'connect');
    const warned = once(process, 'warning'); // Node warns that the socket was not taken
    await sendRefused(socket, 4); // Node tries again three times
    await warned;
    socket.destroy();
    server.close();
  },

  async unknown_internal_messages() {
    const child = start('obey');
    const internal = [];
    child.on('internalMessage', (message) => internal.push(message));
    child.send({ cmd: 'NODE_UNKNOWN' });
    child.send({ cmd: 'NODE_' });
    child.send({ send: [{ cmd: 'NODE_SENT' }, 'after'] });
    await messages(child, 2);
    await disconnect(child);
    assert.deepStrictEqual(child.messages, [{ cmd: 'NODE_' }, 'after']);
    assert.deepStrictEqual(internal, [{ cmd: 'NODE_SENT' }]); // the unknown message was not sent back
  },

  // Writes the lines by hand, because Node would not write them.
  async odd_lines() {
    const odd = ['garbage', '', '   ', '{"a":', '{} {}', "'x'", '// x', '\ufeff{}', '1e999', '"\t"', '"\0"'];
    const child = launch(path.join(programs, 'obey'), [], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'], env: { ...process.env, NODE_CHANNEL_FD: '3' },
    });
    const channel = child.stdio[3];
    let answers = '';
    channel.setEncoding('utf8').on('data', (text) => { answers += text; });
    odd.forEach((line, i) => channel.write(`${line}\n${i}\n`));
    while (answers.split('\n').length <= 2 * odd.length) await once(channel, 'data');
    channel.end();
    assert.deepStrictEqual(await once(child, 'exit'), [0, null]);
    answers.trim().split('\n').map(JSON.parse).forEach((answer, i) => {
      if (i % 2 === 0) assert.match(answer.error, /no message/);
      else assert.strictEqual(answer, (i - 1) / 2);
    });
  },

  async environment_of_a_grandchild() {
    const child = start('obey', { env: { ...process.env, NODE_UNIQUE_ID: '1' } });
    child.send('environment');
    await messages(child, 1);
    await disconnect(child);
    assert.match(child.messages[0], /^PATH=/m);
    assert.doesNotMatch(child.messages[0],
      /^(NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE|NODE_UNIQUE_ID)=/m);
  },

  be_parent: () => beParent(() => {}),
  be_parent_that_exits: () => beParent(() => process.exit(3)),
};

// If there is no child to wait for, Node ends with code 0 in the middle of an await.
let done = false;
process.on('exit', (code) => assert(done || code !== 0, 'not at its end'));

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

setTimeout(() => {
  console.error(`${scenario} is late`);
  process.exit(1);
}, 60_000).unref();

Promise.resolve(scenarios[scenario]()).then(() => { done = true; });
