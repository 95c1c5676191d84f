// A child that executes the commands at the end of this file, as test/programs/handles.cpp does.
// The "do" of a message names the command. Addresses are {host, port} or {path}.
//
//   node handles_child.js [PORT]
//
// With a port, it listens to its parent only after a byte has come from that port.
const dgram = require('node:dgram');
const net = require('node:net');
const { kept } = require('./kept.js');
const { feed } = require('./starving.js');

const [port] = process.argv.slice(2);
const held = [];
let server;
let datagram;

const addressOf = (address) => (typeof address === 'string'
  ? { path: address } : { host: address.address, port: address.port });

function kindOf(handle) {
  if (handle instanceof net.Server) return 'server';
  if (handle instanceof net.Socket) return 'socket';
  return handle instanceof dgram.Socket ? 'datagram' : null;
}

function answerClients() {
  server.on('connection', (socket) => socket.end('child'));
}

function receiveDatagrams() {
  datagram.on('message', (bytes, from) => {
    datagram.send(`child got ${bytes}`, from.port, from.address);
  });
}

const commands = {
  report({ number = 0 }, handle) {
    const kind = kindOf(handle);
    if (kind === 'socket') handle.destroy();
    else if (kind !== null) handle.close();
    process.send({ number, with: kind });
  },

  'send back': (message, handle) => process.send(message, handle),

  serve(_, handle) {
    server = handle;
    answerClients();
    process.send('serving');
  },

  'stop serving': () => server.close(() => process.send('stopped')),

  receive(_, handle) {
    datagram = handle;
    receiveDatagrams();
    process.send('receiving');
  },

  'stop receiving': () => datagram.close(() => process.send('stopped')),

  answer: (_, socket) => socket.end('child'),

  write(_, socket) {
    socket.write('child', () => {
      socket.destroy();
      process.send('written');
    });
  },

  hold(_, socket) {
    held.push(socket);
    process.send('held');
  },

  release: () => held.shift().on('close', () => process.send('released')).destroy(),

  'send server'({ address }) {
    server = net.createServer();
    answerClients();
    // kept() makes the second name before the server is sent, because Deno closes the server when
    // the other end has it.
    server.listen(address, () => process.send(kept(addressOf(server.address())), server));
  },

  'send datagram'() {
    datagram = dgram.createSocket('udp4');
    receiveDatagrams();
    datagram.bind(0, '127.0.0.1', () => process.send(addressOf(datagram.address()), datagram));
  },

  'send connections'({ address, keepOpen = false }) {
    server = net.createServer({ pauseOnConnect: true }, (socket) => {
      process.send('connection', socket, { keepOpen });
      if (keepOpen) held.push(socket);
    });
    server.listen(address, () => process.send(addressOf(server.address())));
  },

  'end held': () => held[0].end('child'),

  count() {
    server.getConnections((error, count) => process.send({ count, error: error ? error.message : '' }));
  },

  'send servers'({ count }) {
    server = net.createServer().listen(0, '127.0.0.1', () => {
      for (let number = 0; number < count; ++number) process.send({ number }, server);
    });
  },

  feed: ({ pid }) => feed(pid),

  exit: () => process.exit(0),
};

// Reports a handle that has not arrived, at either end. This listener runs before Node's own one,
// which answers.
process.prependListener('internalMessage', ({ cmd }, handle) => {
  if (cmd === 'NODE_HANDLE' && !handle) process.send('no descriptor');
  if (cmd === 'NODE_HANDLE_NACK') {
    feed(process.ppid);
    process.send('refused');
  }
});

process.on('disconnect', () => process.exit());

function obey() {
  process.on('message', (message, handle) => commands[message.do](message, handle));
}

if (port === undefined) {
  obey();
} else {
  net.connect(port, '127.0.0.1').once('data', function () {
    this.destroy();
    obey();
  });
}
