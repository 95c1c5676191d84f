// A web server in as many processes as it has CPUs.
'use strict';

const cluster = require('node:cluster');
const http = require('node:http');
const os = require('node:os');

if (cluster.isPrimary) {
  let starting = os.availableParallelism();
  cluster.on('listening', () => {
    if (--starting === 0) console.log('listening');
  });
  for (let i = starting; i > 0; --i) cluster.fork();
} else {
  const hello = `Hello from worker ${cluster.worker.id}\n`;
  http.createServer((request, response) => response.end(hello)).listen(Number(process.argv[2]));
}
