// A JavaScript parent and a C++ child pass handles to each other. Runs one of the scenarios at the
// end of this file. The child is test/programs/handles.cpp. SERIALIZATION is Node's option, "json"
// if it is left out.
//
//   node javascript_parent.js CHILD SCENARIO [SERIALIZATION]
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { kept } = require('./kept.js');
const { feed, starve } = require('./starving.js');

const [program, scenario, serialization] = process.argv.slice(2);
const tcp = { host: '127.0.0.1', port: 0 };
const running = new Set();

// The child, and those of its messages that the scenario has not taken yet.
class Child {
  constructor({ args = [], file = program } = {}) {
    this.came = [];
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
    this.process = spawn(file, args, serialization ? { stdio, serialization } : { stdio });
    this.process.on('message', (message, handle) => this.came.push([message, handle]));
    running.add(this.process);
    this.process.once('exit', () => running.delete(this.process));
  }

  command(what, handle, options) {
    this.process.send(typeof what === 'string' ? { do: what } : what, handle, options);
  }

  async nextWithHandle() {
    while (this.came.length === 0) await once(this.process, 'message');
    return this.came.shift();
  }

  async next() {
    const [message, handle] = await this.nextWithHandle();
    assert.strictEqual(handle, undefined);
    return message;
  }

  // Does not use kill() of the child, because in Deno it closes the channel.
  kill(signal) {
    process.kill(this.process.pid, signal);
  }

  async end() {
    const ended = once(this.process, 'exit');
    this.process.disconnect();
    assert.deepStrictEqual(await ended, [0, null]);
    assert.deepStrictEqual(this.came, []);
  }
}

// Connects. Returns all bytes that come until the connection is closed.
function answerAt(address) {
  const socket = net.connect(address);
  let text = '';
  socket.on('data', (bytes) => { text += bytes; });
  return once(socket, 'close').then(() => text);
}

async function datagramAnswerAt({ host, port }, text) {
  const socket = dgram.createSocket('udp4');
  socket.send(text, port, host);
  const [bytes] = await once(socket, 'message');
  socket.close();
  return String(bytes);
}

async function listen(address = tcp, onConnection = (socket) => socket.end('parent')) {
  const server = net.createServer({ pauseOnConnect: true }, onConnection).listen(address);
  await once(server, 'listening');
  return server;
}

const addressOf = (server) => (typeof server.address() === 'string'
  ? { path: server.address() } : { host: '127.0.0.1', port: server.address().port });

async function accept(server) {
  const [socket] = await once(server, 'connection');
  return socket;
}

const count = (server) => new Promise((resolve, reject) => {
  server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
});

// Runs a scenario with a path that does not exist yet.
async function withPath(run) {
  const folder = fs.mkdtempSync('/tmp/tine-handles-');
  process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  await run({ path: path.join(folder, 'a') });
}

async function sendServer(at) {
  const child = new Child();
  const server = await listen(at);
  const address = kept(addressOf(server));
  child.command('serve', server);
  assert.strictEqual(await child.next(), 'serving');
  child.kill('SIGSTOP');
  assert.strictEqual(await answerAt(address), 'parent');
  child.kill('SIGCONT');
  server.close();
  assert.strictEqual(await answerAt(address), 'child');
  await child.end();
}

async function sendConnection(at) {
  const child = new Child();
  const server = await listen(at, (socket) => child.command('answer', socket));
  assert.strictEqual(await answerAt(addressOf(server)), 'child');
  server.close();
  await child.end();
}

async function receiveServer(at) {
  const child = new Child();
  child.command({ do: 'send server', address: at });
  const [message, server] = await child.nextWithHandle();
  const address = kept(message);
  server.on('connection', (socket) => socket.end('parent'));
  child.kill('SIGSTOP');
  assert.strictEqual(await answerAt(address), 'parent');
  child.kill('SIGCONT');
  server.close();
  assert.strictEqual(await answerAt(address), 'child');
  await child.end();
}

async function receiveConnection(at) {
  const child = new Child();
  child.command({ do: 'send connections', address: at });
  const answer = answerAt(await child.next());
  const [message, socket] = await child.nextWithHandle();
  assert.strictEqual(message, 'connection');
  socket.end('parent');
  assert.strictEqual(await answer, 'parent');
  await child.end();
}

const scenarios = {
  server_is_sent: () => sendServer(tcp),
  server_at_path_is_sent: () => withPath(sendServer),
  connection_is_sent: () => sendConnection(tcp),
  connection_at_path_is_sent: () => withPath(sendConnection),
  server_comes: () => receiveServer(tcp),
  server_at_path_comes: () => withPath(receiveServer),
  connection_comes: () => receiveConnection(tcp),
  connection_at_path_comes: () => withPath(receiveConnection),

  async child_closes_its_server() {
    const child = new Child();
    const server = await listen();
    child.command('serve', server);
    assert.strictEqual(await child.next(), 'serving');
    child.command('stop serving');
    assert.strictEqual(await child.next(), 'stopped');
    for (let i = 0; i < 5; ++i) assert.strictEqual(await answerAt(addressOf(server)), 'parent');
    server.close();
    await child.end();
  },

  async connection_sent_is_kept_open() {
    const child = new Child();
    const server = await listen(tcp, async (socket) => {
      child.command('write', socket, { keepOpen: true });
      assert.strictEqual(await child.next(), 'written');
      socket.end(' and parent');
    });
    assert.strictEqual(await answerAt(addressOf(server)), 'child and parent');
    server.close();
    await child.end();
  },

  async connection_that_comes_is_kept_open() {
    const child = new Child();
    child.command({ do: 'send connections', address: tcp, keepOpen: true });
    const answer = answerAt(await child.next());
    const [, socket] = await child.nextWithHandle();
    socket.write('parent and ', () => {
      socket.destroy();
      child.command('end held');
    });
    assert.strictEqual(await answer, 'parent and child');
    await child.end();
  },

  async udp_socket_is_sent() {
    const child = new Child();
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.on('message', (bytes, from) => socket.send(`parent got ${bytes}`, from.port, from.address));
    const address = { host: '127.0.0.1', port: socket.address().port };

    child.command('receive', socket);
    assert.strictEqual(await child.next(), 'receiving');
    child.kill('SIGSTOP');
    assert.strictEqual(await datagramAnswerAt(address, 'one'), 'parent got one');
    child.kill('SIGCONT');
    socket.close();
    assert.strictEqual(await datagramAnswerAt(address, 'two'), 'child got two');
    await child.end();
  },

  async udp_socket_comes() {
    const child = new Child();
    child.command('send datagram');
    const [address, socket] = await child.nextWithHandle();
    socket.on('message', (bytes, from) => socket.send(`parent got ${bytes}`, from.port, from.address));
    child.kill('SIGSTOP');
    assert.strictEqual(await datagramAnswerAt(address, 'one'), 'parent got one');
    child.kill('SIGCONT');
    child.command('stop receiving');
    assert.strictEqual(await child.next(), 'stopped');
    assert.strictEqual(await datagramAnswerAt(address, 'two'), 'parent got two');
    socket.close();
    await child.end();
  },

  async handle_is_the_middle_ones() {
    const child = new Child();
    const server = await listen();
    child.command({ do: 'report', number: 1 });
    child.command({ do: 'report', number: 2 }, server);
    child.command({ do: 'report', number: 3 });
    assert.deepStrictEqual(await child.next(), { number: 1, with: null });
    assert.deepStrictEqual(await child.next(), { number: 2, with: 'server' });
    assert.deepStrictEqual(await child.next(), { number: 3, with: null });
    server.close();
    await child.end();
  },

  // The second time, Node sends a message without a handle.
  async connection_is_sent_twice() {
    const child = new Child();
    const server = await listen(tcp, (socket) => {
      child.command('answer', socket);
      child.command('report', socket);
    });
    assert.strictEqual(await answerAt(addressOf(server)), 'child');
    assert.deepStrictEqual(await child.next(), { number: 0, with: null });
    server.close();
    await child.end();
  },

  // The child sends the connection when its answer to the handle has been read: Deno loses a handle
  // whose line arrives together with the line before.
  async large_message_goes_and_comes() {
    const payload = 'x'.repeat(800_004);
    const child = new Child();
    const server = await listen(tcp, (socket) => child.command({ do: 'hold', payload }, socket));
    const answer = answerAt(addressOf(server));
    assert.strictEqual(await child.next(), 'held');
    child.command({ do: 'send held', payload });
    const [message, socket] = await child.nextWithHandle();
    assert(message.payload === payload); // too long to be printed
    socket.end('parent');
    assert.strictEqual(await answer, 'parent');
    server.close();
    await child.end();
  },

  // With advanced serialization.
  async values_go_beside_a_handle() {
    const child = new Child();
    const server = await listen();
    const shared = { when: new Date(0) };
    const message = {
      do: 'send back', bytes: Buffer.from('hi'), map: new Map([[1, new Set([shared])]]), shared, nothing: undefined,
    };
    message.self = message;
    child.command(message, server);
    const [back, handle] = await child.nextWithHandle();
    assert.deepStrictEqual(back, message);
    assert.strictEqual(back.shared, [...back.map.get(1)][0]);
    handle.close();

    message.do = 'send back alone';
    child.command(message, server);
    assert.deepStrictEqual(await child.next(), message);
    server.close();
    await child.end();
  },

  async both_pass_servers_at_once() {
    const most = 50;
    const child = new Child();
    const server = await listen();
    child.command({ do: 'send servers', count: most });
    for (let number = 0; number < most; ++number) child.command({ do: 'report', number }, server);
    let fromChild = 0;
    let takenByChild = 0;
    while (fromChild < most || takenByChild < most) {
      const [message, handle] = await child.nextWithHandle();
      if (handle) {
        assert.deepStrictEqual(message, { number: fromChild++ });
        handle.close();
      } else {
        assert.deepStrictEqual(message, { number: takenByChild++, with: 'server' });
      }
    }
    server.close();
    await child.end();
  },

  async handle_waits_for_a_listener() {
    const waker = await listen(tcp, () => {});
    const server = await listen();
    const child = new Child({ args: [String(waker.address().port)] });
    const toChild = await accept(waker);
    // Message 1 is written after the child has reported that the handle has arrived.
    child.command('report', server);
    await new Promise((resolve) => child.process.send({ do: 'report', number: 1 }, resolve));
    toChild.write('now');
    assert.deepStrictEqual(await child.next(), { number: 0, with: 'server' });
    assert.deepStrictEqual(await child.next(), { number: 1, with: null });
    waker.close();
    server.close();
    await child.end();
  },

  async connections_sent_are_counted() {
    const most = 4;
    const child = new Child();
    const server = await listen(tcp, (socket) => child.command('hold', socket));
    for (let i = 0; i < most; ++i) {
      answerAt(addressOf(server));
      assert.strictEqual(await child.next(), 'held');
    }
    for (let left = most; left > 0; --left) {
      assert.strictEqual(await count(server), left);
      child.command('release');
      assert.strictEqual(await child.next(), 'released');
    }
    assert.strictEqual(await count(server), 0);
    server.close();
    await child.end();
  },

  async close_waits_for_connections_sent() {
    const child = new Child();
    const server = await listen(tcp, (socket) => child.command('hold', socket));
    for (let i = 0; i < 2; ++i) {
      answerAt(addressOf(server));
      assert.strictEqual(await child.next(), 'held');
    }
    let closed = false;
    server.close(() => { closed = true; });
    child.command('release');
    assert.strictEqual(await child.next(), 'released');
    child.command('report'); // the child's messages about the server arrive before its answer
    await child.next();
    assert.strictEqual(closed, false);
    child.command('release');
    await once(server, 'close');
    assert.strictEqual(await child.next(), 'released');
    await child.end();
  },

  async connections_that_come_are_counted() {
    const most = 4;
    const child = new Child();
    child.command({ do: 'send connections', address: tcp });
    const address = await child.next();
    const held = [];
    for (let i = 0; i < most; ++i) {
      answerAt(address);
      held.push((await child.nextWithHandle())[1]);
    }
    for (let left = most; left > 0; --left) {
      child.command('count');
      assert.deepStrictEqual(await child.next(), { count: left, error: '' });
      await once(held.shift().destroy(), 'close');
    }
    child.command('count');
    assert.deepStrictEqual(await child.next(), { count: 0, error: '' });
    await child.end();
  },

  async close_waits_for_connections_that_come() {
    const child = new Child();
    child.command({ do: 'send connections', address: tcp });
    const answer = answerAt(await child.next());
    const [, socket] = await child.nextWithHandle();
    child.command('stop serving');
    child.command('report');
    assert.deepStrictEqual(await child.next(), { number: 0, with: null }); // not yet 'stopped'
    socket.end('parent');
    assert.strictEqual(await child.next(), 'stopped');
    assert.strictEqual(await answer, 'parent');
    await child.end();
  },

  async child_that_is_killed_has_no_connections() {
    const child = new Child();
    const server = await listen(tcp, (socket) => child.command('hold', socket));
    const answer = answerAt(addressOf(server));
    assert.strictEqual(await child.next(), 'held');
    child.kill('SIGSTOP');
    const counted = assert.rejects(count(server), { code: 'ERR_CHILD_CLOSED_BEFORE_REPLY' });
    server.close();
    child.kill('SIGKILL');
    await Promise.all([counted, once(server, 'close'), once(child.process, 'exit')]);
    assert.strictEqual(await answer, '');
  },

  async sending_after_the_end_is_an_error() {
    const child = new Child();
    const server = await listen();
    child.command('exit');
    await once(child.process, 'close');
    const error = await new Promise((resolve) => child.process.send('late', server, resolve));
    assert.strictEqual(error.code, 'ERR_IPC_CHANNEL_CLOSED');
    server.close();
  },

  // When Node sends a handle again, it writes the old line inside the new one.
  async connection_is_sent_again() {
    const child = new Child();
    const server = await listen(tcp, (socket) => child.command('answer', socket));
    let refused = 0;
    child.process.prependListener('internalMessage', ({ cmd }) => {
      if (cmd !== 'NODE_HANDLE_NACK') return;
      ++refused;
      feed(child.process.pid); // before Node's own listener sends it again
    });
    child.command('report'); // its answer shows that the child runs
    await child.next();

    starve(child.process.pid);
    assert.strictEqual(await answerAt(addressOf(server)), 'child');
    assert.strictEqual(refused, 1);
    server.close();
    await child.end();
  },

  async connection_comes_again() {
    const child = new Child();
    child.command({ do: 'send connections', address: tcp });
    const address = await child.next();
    let refused = 0;
    child.process.prependListener('internalMessage', ({ cmd }, handle) => {
      if (cmd !== 'NODE_HANDLE' || handle) return;
      ++refused;
      child.command({ do: 'feed', pid: process.pid }); // before Node's own listener refuses it
    });
    child.kill('SIGSTOP'); // until this process has no descriptor left
    const client = net.connect(address);
    await once(client, 'connect');
    starve(process.pid);
    child.kill('SIGCONT');
    const [, socket] = await child.nextWithHandle();
    assert.strictEqual(refused, 1);
    socket.end('parent');
    const [bytes] = await once(client, 'data');
    assert.strictEqual(String(bytes), 'parent');
    await child.end();
  },

  // The child announces that it is tine, as it does to a parent that is tine too.
  async hello_of_tine_is_ignored() {
    const named = 'TINE_CHANNEL=$(stat -Lc %i /proc/self/fd/3) exec "$0"';
    const child = new Child({ file: '/bin/sh', args: ['-c', named, program] });
    child.command('report');
    assert.deepStrictEqual(await child.next(), { number: 0, with: null });
    await child.end();
  },
};

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// The timer also keeps the loop running. Without a child to wait for, Node would end with code 0 in
// the middle of an await.
const late = setTimeout(() => {
  console.error(`${scenario} is late`);
  process.exit(1);
}, 60_000);

Promise.resolve(scenarios[scenario]()).then(() => clearTimeout(late));
