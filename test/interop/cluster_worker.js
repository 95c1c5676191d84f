// A cluster worker that obeys the messages of its primary, as test/programs/worker.cpp does:
//
//   {listen: {host, port, path, fd, most, hold, net}}
//              starts an HTTP server that answers with the worker's id; "most" is its
//              maxConnections; with "hold" the answer does not end; with "net" it is no HTTP
//              server, and answers each connection and ends it
//   {bind: {host, port}}
//              binds a datagram socket that answers each datagram with the worker's id
//   "close"    closes its servers and sockets
//   "leave", "kill"
//              leaves the cluster by itself
//   "cut"      disconnects the channel, and does nothing else
//   "exit", "throw"
//              ends by exit() or by an exception of its own
//   others     are sent back
//
// It answers {listening: PORT} and {error: CODE}.
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const http = require('node:http');
const net = require('node:net');

const id = String(cluster.worker.id);
const open = [];

function follow(one) {
  open.push(one);
  one.on('listening', () => process.send({ listening: one.address().port ?? null }));
  one.on('error', (error) => process.send({ error: error.code }));
}

function answerHttp(hold) {
  return (request, response) => {
    response.write(id);
    if (!hold) response.end();
  };
}

function answer(hold) {
  return (socket) => {
    socket.on('error', () => {}).resume();
    if (hold) socket.write(id);
    else socket.end(id);
  };
}

function listen({ net: plain = false, hold = false, most, ...where }) {
  const server = plain ? net.createServer(answer(hold)) : http.createServer(answerHttp(hold));
  if (most !== undefined) server.maxConnections = most;
  follow(server);
  server.listen(where.path === undefined ? { port: 0, ...where } : where);
}

function bind(where) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (bytes, from) => socket.send(id, from.port, from.address));
  follow(socket);
  socket.bind({ port: where.port, address: where.host });
}

const commands = {
  close: () => open.splice(0).forEach((one) => one.close()),
  leave: () => cluster.worker.disconnect(),
  kill: () => cluster.worker.kill(),
  cut: () => process.disconnect(),
  exit: () => process.exit(1),
  throw: () => { throw new Error('of the test'); },
};

process.on('message', (message) => {
  if (message.listen) listen(message.listen);
  else if (message.bind) bind(message.bind);
  else if (Object.hasOwn(commands, message)) commands[message]();
  else process.send(message);
});
