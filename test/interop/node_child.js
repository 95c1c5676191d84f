// The Node children of node_child.cpp. The first argument names one of them. A child that sees
// something unexpected does not exit with code 0.
const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const { sample } = require('./sample.js');

const [what, ...args] = process.argv.slice(2);

// Expects that the event is emitted exactly once.
function expectOnce(name) {
  let count = 0;
  process.on(name, () => ++count);
  process.on('exit', () => assert.strictEqual(count, 1, name));
}

function sendServerOrSocket(kind) {
  if (kind === 'socket') expectOnce('warning'); // Node warns that the socket was not taken
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    socket.on('connect', () => {
      process.send('handle', kind === 'server' ? server : socket);
      process.send('after', () => {
        socket.destroy();
        server.close();
      });
    });
  });
}

const children = {
  echo() {
    expectOnce('disconnect');
    process.on('message', (message) => process.send(message));
  },

  exchange(count) {
    let received = 0;
    process.on('message', (message) => {
      assert.deepStrictEqual(message, sample(received++));
    });
    for (let i = 0; i < count; ++i) process.send(sample(i));
    process.on('disconnect', () => assert.strictEqual(received, Number(count)));
  },

  count(count) {
    let received = 0;
    process.on('message', ({ number }) => assert.strictEqual(number, received++));
    expectOnce('disconnect');
    process.on('exit', () => assert.strictEqual(received, Number(count)));
  },

  flood(count) {
    const text = 'x'.repeat(1000);
    for (let number = 0; number < count; ++number) process.send({ number, text });
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

  // Writes bytes that are given in hexadecimal, without Node's own writer.
  writeThenKillItself(bytes) {
    fs.writeSync(process.channel.fd, Buffer.from(bytes, 'hex'));
    process.kill(process.pid, 'SIGKILL');
  },

  writeThenSend(bytes) {
    fs.writeSync(process.channel.fd, Buffer.from(bytes, 'hex'));
    process.send('after');
  },

  sendHandle: sendServerOrSocket,

  internal() {
    process.send({ cmd: 'NODE_UNKNOWN' });
    process.send({ cmd: 'NODE_' });
    process.send('after');
    const received = [];
    process.on('message', (message) => received.push(message));
    process.on('disconnect', () => assert.deepStrictEqual(received, [{ cmd: 'NODE_' }, 'after']));
  },

  started() {
    process.send({ execArgv: process.execArgv, args });
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
