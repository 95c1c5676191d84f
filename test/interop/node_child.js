// The children of node_child.cpp. The first argument names one of them. A child that sees
// something unexpected does not exit with code 0.
const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const { runtime } = require('./runtime.js');
const { received, sample } = require('./sample.js');

const [what, ...args] = process.argv.slice(2);

// Expects that the event is emitted exactly once.
function expectOnce(name) {
  let count = 0;
  process.on(name, () => ++count);
  process.on('exit', () => assert.strictEqual(count, 1, name));
}

// Writes bytes, which are given in hexadecimal, to the channel without the runtime's own writer.
// Deno's fs refuses the descriptor, but a program that Deno starts has it too.
function writeByHand(hexadecimal) {
  const bytes = Buffer.from(hexadecimal, 'hex');
  if (runtime === 'deno') {
    const octal = Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    execFileSync('/bin/sh', ['-c', 'printf "$0" >&3', octal]);
  } else {
    fs.writeSync(3, bytes);
  }
}

// A runtime that sends a handle again and again warns at the end that it was not taken. Deno sends
// nothing more after a refused handle, so "after" is not sent before the end.
function sendServerOrSocket(kind) {
  const warns = { node: kind === 'socket', bun: true, deno: false };
  if (warns[runtime]) expectOnce('warning');
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    const finish = () => {
      socket.destroy();
      server.close();
    };
    socket.on('connect', () => {
      process.send('handle', kind === 'server' ? server : socket);
      process.send('after', finish);
      if (runtime === 'deno') process.on('disconnect', finish);
    });
  });
}

const children = {
  echo() {
    expectOnce('disconnect');
    process.on('message', (message) => process.send(message));
  },

  print() {
    process.once('message', (message) => {
      console.log('got', message);
      process.disconnect();
    });
  },

  exchange(count) {
    let came = 0;
    process.on('message', (message) => {
      assert.deepStrictEqual(message, received(came++));
    });
    for (let i = 0; i < count; ++i) process.send(sample(i));
    process.on('disconnect', () => assert.strictEqual(came, Number(count)));
  },

  count(count) {
    let came = 0;
    process.on('message', ({ number }) => assert.strictEqual(number, came++));
    expectOnce('disconnect');
    process.on('exit', () => assert.strictEqual(came, Number(count)));
  },

  flood(count, exits) {
    const text = 'x'.repeat(1000);
    for (let number = 0; number < count; ++number) process.send({ number, text });
    if (exits) process.exit(3);
  },

  loneSurrogates() {
    process.send({ text: 'a\ud800b\udc00', 'key\udfff': '\ud83d' });
  },

  disconnect() {
    expectOnce('disconnect');
    process.send('last');
    process.once('message', () => process.disconnect());
  },

  exit(code) {
    process.send('last', () => process.exit(Number(code)));
  },

  killItself() {
    for (let number = 0; number < 20; ++number) process.send({ number });
    process.kill(process.pid, 'SIGKILL');
  },

  writeThenKillItself(bytes) {
    writeByHand(bytes);
    process.kill(process.pid, 'SIGKILL');
  },

  writeThenSend(bytes) {
    writeByHand(bytes);
    process.send('after');
  },

  sendHandle: sendServerOrSocket,

  internal() {
    process.send({ cmd: 'NODE_UNKNOWN' });
    process.send({ cmd: 'NODE_' });
    process.send('after');
    const came = [];
    process.on('message', (message) => came.push(message));
    // Deno takes the bare prefix for a command, too.
    const expected = runtime === 'deno' ? ['after'] : [{ cmd: 'NODE_' }, 'after'];
    process.on('disconnect', () => assert.deepStrictEqual(came, expected));
  },

  started() {
    process.send({ runtime, execArgv: process.execArgv, args });
  },

  listenUnreferenced() {
    process.on('message', () => {});
    process.channel.unref();
  },

  reportDisconnect(toParent) {
    expectOnce('disconnect');
    process.on('disconnect', () => console.log('disconnect'));
    console.log('ready');
    if (toParent) process.send('ready');
  },
};

children[what](...args);
