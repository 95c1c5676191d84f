// A worker of the handoff demo. It answers on the connections that it is handed. Any parent that
// speaks the protocol of Node's channel can run it.
const kind = process.argv[2];

process.on('message', (message, socket) => {
  if (socket) socket.end(`the ${kind} worker got ${message.request}`);
});
