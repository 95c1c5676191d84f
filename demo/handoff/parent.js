// Hands each connection to one of two workers: to the special one if its first byte is '!'. Both
// run the worker program beside this one, or the one given as an argument: a .js file, or any
// program that speaks the protocol of the channel.
const { fork } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');

function forkWorker(module, kind) {
  return path.extname(module) === '.js'
    ? fork(module, [kind])
    : fork(kind, { execPath: module, execArgv: [] });
}

// The worker cannot read again what was read here, so these bytes travel in the message.
function handOver(socket, normal, special) {
  socket.once('data', (bytes) => {
    socket.pause();
    const request = bytes.toString();
    const worker = request.startsWith('!') ? special : normal;
    worker.send({ request }, socket);
  });
}

function request(server, text, answered) {
  const client = net.connect(server.port, server.address);
  client.on('data', (answer) => console.log(`[Client] ${text} -> ${answer}`));
  client.on('close', answered);
  client.write(text);
}

const module_ = path.resolve(process.argv[2] ?? path.join(__dirname, 'child.js'));
const normal = forkWorker(module_, 'normal');
const special = forkWorker(module_, 'special');

const server = net.createServer((socket) => handOver(socket, normal, special));

let open = 3;
server.on('listening', () => {
  for (const text of ['Hello', '!Hurry', 'Bonjour']) {
    request(server.address(), text, () => {
      if (--open > 0) return;
      server.close();
      normal.disconnect();
      special.disconnect();
    });
  }
});
server.listen({ host: '127.0.0.1', port: 0 });
