// A web server in as many processes as there are CPUs, on one port: 8000, unless an argument names
// another one.
const cluster = require('node:cluster');
const http = require('node:http');
const os = require('node:os');

console.log('I am always called');

if (cluster.isPrimary) {
  console.log('I am the master, launching workers!');
  for (let i = 0; i < os.availableParallelism(); ++i) cluster.fork();
} else {
  console.log('I am a fork!');

  const port = Number(process.argv[2] ?? 8000);
  const hello = `Hello from worker ${cluster.worker.id}\n`;
  http.createServer((request, response) => response.end(hello)).listen(port);
}

console.log('I am always called as well');

// Ctrl-C reaches the workers too. They ignore it, and end when the primary disconnects them.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    if (cluster.isPrimary) cluster.disconnect();
  });
}
