// A JavaScript runtime as the parent of C++ programs. Runs scenarios of those at the end of this
// file, one after the other.
//
//   node node_parent.js PROGRAMS SCENARIO…
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { values } = require('./advanced_values.js');
const { running, runtime } = require('./runtime.js');
const { largeText, received, sample } = require('./sample.js');

const [programs, ...names] = process.argv.slice(2);
const alive = new Set();
const checks = []; // functions to be called at the exit of this process

// What differs between the runtimes.
const facts = {
  // Node emits no "close" if the parent has disconnected (nodejs/node#19433).
  closesAfterDisconnect: { node: false, bun: true, deno: true },
  // Deno may emit "exit" before messages that the child sent before its exit.
  exitMayComeEarly: { node: false, bun: false, deno: true },
  // Deno's kill() closes the channel, and "exit" names the signal, even if the child lives on.
  killIsTheEnd: { node: false, bun: false, deno: true },
  // Deno takes every command with the prefix NODE_ for an internal one, also the bare prefix.
  barePrefixIsInternal: { node: false, bun: false, deno: true },
  // Of the messages sent right before disconnect(), those arrive that fit in the socket. Deno has
  // written none by then.
  writesAtOnce: { node: true, bun: true, deno: false },
  // How often a handle is sent if it is refused.
  serverAttempts: { node: 1, bun: 3, deno: 1 },
  socketAttempts: { node: 4, bun: 3, deno: 1 },
  // After a handle that was refused, Deno sends nothing more.
  sendsAfterRefusal: { node: true, bun: true, deno: false },
  // Bun's serialization "advanced" is another one.
  hasNodesAdvanced: { node: true, bun: false, deno: true },
};
for (const name of Object.keys(facts)) facts[name] = facts[name][runtime];

// Starts a program with a channel and collects its messages and its output in `messages` and
// `output`. At the end, each event must have been emitted once, and "disconnect" after all messages.
// No other order of the events is promised.
function start(program, { args = [], end = [0, null], ...options } = {}) {
  const child = launch(path.join(programs, program), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'], ...options,
  });
  const events = [];
  child.messages = [];
  child.on('message', (message) => {
    const early = facts.exitMayComeEarly ? ['exit', 'close'] : [];
    assert.deepStrictEqual(events.filter(([name]) => !early.includes(name)), []);
    child.messages.push(message);
  });
  for (const name of ['disconnect', 'exit', 'close']) {
    child.on(name, (...values) => events.push([name, ...values]));
  }
  checks.push(() => {
    assert.deepStrictEqual(events.filter(([name]) => name === 'disconnect'), [['disconnect']]);
    const close = child.left && !facts.closesAfterDisconnect ? [] : [['close', ...end]];
    assert.deepStrictEqual(events.filter(([name]) => name !== 'disconnect'), [['exit', ...end], ...close]);
  });
  return child;
}

function launch(program, args, options) {
  const child = spawn(program, args, options);
  alive.add(child);
  child.once('exit', () => alive.delete(child));
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

// Sends a handle to a child that accepts none.
async function sendRefused(handle, attempts) {
  const child = start('obey', { args: ['refuse'] });
  // A runtime that sends a handle again and again warns at the end that it was not taken.
  const warned = attempts > 1 && once(process, 'warning');
  child.send('handle', handle);
  child.send('after');
  await messages(child, facts.sendsAfterRefusal ? attempts + 1 : attempts);
  await disconnect(child);
  if (facts.sendsAfterRefusal) assert.strictEqual(child.messages.pop(), 'after');
  assert.strictEqual(child.messages.length, attempts);
  for (const { error } of child.messages) assert.match(error, /handle refused/);
  await warned;
}

// Returns what comes back for sample(i). JSON.stringify() writes -0 as 0.
function echoed(i) {
  const value = received(i);
  return { ...value, numbers: value.numbers.map((number) => (number === 0 ? 0 : number)) };
}

const refusal = /^tine: .*fork with serialization "json".*unsupported serialization/;

// Starts a child that does not have the serialization of this runtime. The child says so on stderr
// and in its exit code. That is all that happens, though a message is waiting to be written.
async function refuseAdvanced() {
  const child = start('echo', {
    serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'], end: [78, null],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece) => { text += piece; });
  child.on('error', (error) => assert.fail(error));
  child.send('hello');
  child.send(largeText(2 ** 20));
  await Promise.all([end(child), once(child.stderr, 'end')]);
  assert.match(text, refusal);
  assert.deepStrictEqual(child.messages, []);
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
    child.messages.forEach((message, i) => assert.deepStrictEqual(message, echoed(i)));
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
    const largest = Number(process.env.TINE_TEST_SCALE ?? 1) > 1 ? 32 : 8;
    const texts = [1, largest].map((mebibytes) => largeText(mebibytes * 2 ** 20));
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

  // The child ends with 0 if no message arrives.
  async messages_right_before_disconnect() {
    const child = start('count', { args: ['0'], end: [facts.writesAtOnce ? 1 : 0, null] });
    for (let number = 0; number < 3000; ++number) child.send({ number });
    await disconnect(child);
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
    for (const signal of ['SIGKILL', 'SIGTERM']) {
      const child = start('obey', { end: [null, signal] });
      child.send('hello');
      await messages(child, 1);
      child.kill(signal);
      await end(child);
      assert.strictEqual(child.output, '');
    }
  },

  async child_gets_a_signal_that_does_not_end_it() {
    const child = start('obey', { end: facts.killIsTheEnd ? [null, 'SIGCONT'] : [0, null] });
    child.send('hello');
    await messages(child, 1);
    const ended = end(child);
    child.kill('SIGCONT');
    assert.strictEqual(child.connected, !facts.killIsTheEnd);
    if (child.connected) child.send('disconnect');
    await ended;
    assert.deepStrictEqual(child.messages, ['hello']);
    assert.strictEqual(child.output, 'disconnect\n');
  },

  parent_exits: () => loseParent(
    process.execPath, running(__filename, programs, 'be_parent_that_exits'), false, [3, null]),

  parent_is_killed: () => loseParent(
    process.execPath, running(__filename, programs, 'be_parent'), true, [null, 'SIGKILL']),

  cpp_parent_ends: () => loseParent(path.join(programs, 'parent'), [
    process.execPath, ...running(path.join(__dirname, 'node_child.js'), 'reportDisconnect', 'to parent'),
  ], false, [0, null]),

  cpp_parent_is_killed: () => loseParent(path.join(programs, 'parent'), [
    process.execPath, ...running(path.join(__dirname, 'node_child.js'), 'reportDisconnect'),
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
    if (!facts.hasNodesAdvanced) return refuseAdvanced();
    const child = start('echo', { serialization: 'advanced' });
    const sent = values();
    for (const value of sent) child.send({ value });
    await messages(child, sent.length);
    sent.forEach((value, i) => assert.deepStrictEqual(child.messages[i], { value }));
    await disconnect(child);
  },

  async advanced_messages() {
    if (!facts.hasNodesAdvanced) return refuseAdvanced();
    const count = 2000;
    const child = start('echo', { serialization: 'advanced' });
    for (let i = 0; i < count; ++i) child.send(sample(i));
    await messages(child, count);
    child.messages.forEach((message, i) => assert.deepStrictEqual(message, sample(i)));
    await disconnect(child);
  },

  // Bun.spawn() is Bun's own way to start a child. Its channel has Bun's serialization unless "json"
  // is asked for.
  async bun_spawn() {
    if (runtime !== 'bun') return assert.strictEqual(globalThis.Bun, undefined);
    const messages = [];
    const run = (options) => Bun.spawn({
      cmd: [path.join(programs, 'echo')], stderr: 'pipe', ipc: (message) => messages.push(message), ...options,
    });
    const refused = run({});
    refused.send('hello');
    assert.strictEqual(await refused.exited, 78);
    assert.match(await refused.stderr.text(), refusal);
    assert.deepStrictEqual(messages, []);

    const taken = run({
      serialization: 'json',
      ipc(message) {
        messages.push(message);
        taken.disconnect();
      },
    });
    taken.send('hello');
    assert.strictEqual(await taken.exited, 0);
    assert.strictEqual(await taken.stderr.text(), '');
    assert.deepStrictEqual(messages, ['hello']);
  },

  async server_is_refused() {
    const server = await listen();
    await sendRefused(server, facts.serverAttempts);
    server.close();
  },

  async socket_is_refused() {
    const server = await listen();
    const socket = net.connect(server.address().port, '127.0.0.1');
    await once(socket, 'connect');
    await sendRefused(socket, facts.socketAttempts);
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
    await messages(child, facts.barePrefixIsInternal ? 1 : 2);
    await disconnect(child);
    // The unknown message was not sent back, and what is sent as an internal message arrives as one.
    if (facts.barePrefixIsInternal) {
      assert.deepStrictEqual(child.messages, ['after']);
      assert.deepStrictEqual(internal, [{ cmd: 'NODE_' }, { cmd: 'NODE_SENT' }]);
    } else {
      assert.deepStrictEqual(child.messages, [{ cmd: 'NODE_' }, 'after']);
      assert.deepStrictEqual(internal, [{ cmd: 'NODE_SENT' }]);
    }
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
};

// What a copy of this process does instead of scenarios.
const roles = {
  be_parent: () => beParent(() => {}),
  be_parent_that_exits: () => beParent(() => process.exit(3)),
};

let current; // the name of the running scenario

function failLate() {
  console.error(`${current} is late`);
  process.exit(1);
}

async function run() {
  for (current of names) {
    // The timer also keeps the loop running. Without a child to wait for, the process would end in
    // the middle of an await.
    const late = setTimeout(failLate, 60_000);
    await scenarios[current]();
    clearTimeout(late);
  }
}

process.on('exit', (code) => {
  alive.forEach((child) => child.kill('SIGKILL'));
  if (code === 0) checks.forEach((check) => check());
  else if (current) console.error(`${current} has failed`);
});

if (names[0] in roles) roles[names[0]]();
else run();
