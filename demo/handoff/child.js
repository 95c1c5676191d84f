// A worker of the handoff demo: answers on the connections it is handed. Any parent that speaks Node's channel
// can run it.
const kind = process.argv[2];

process.on('message', (message, socket) => {
  if (socket) socket.end(`the ${kind} worker got ${message.request}`);
});
