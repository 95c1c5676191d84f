// The parent on child_process.fork, for Node, Bun and Deno.
'use strict';

const { fork } = require('node:child_process');
const { Work } = require('./work.js');

const work = new Work(JSON.parse(process.argv[2]));
const children = [];
let running = work.job.children;

function start(i) {
  const { exec_path: execPath, module, args, serialization = 'json' } = work.job;
  const options = { serialization };
  if (execPath) options.execPath = execPath;
  // If the child is a program, there is no module, and the program's first argument takes its
  // place.
  const words = module ? [module, ...args] : args;

  work.forkBegins();
  const child = fork(words[0], words.slice(1), options);
  work.forked(child.pid);

  children.push(child);
  child.on('message', (answer) => received(i, answer));
  child.on('exit', () => {
    if (--running === 0) work.report();
  });
  child.send(work.greeting());
}

function received(i, answer) {
  switch (work.received(i, answer)) {
    case 'send':
      sendMore(i);
      break;
    case 'sendToAll':
      children.forEach((_, j) => sendMore(j));
      break;
    case 'end':
      children.forEach((child) => child.disconnect());
  }
}

// send() returns false when too much is queued. Then one more message is sent with a callback,
// which runs when all are written. A callback for each message would cost too much.
const waiting = [];

function sendMore(i) {
  while (!waiting[i] && work.maySay(i)) {
    if (children[i].send(work.next(i)) || !work.maySay(i)) continue;
    waiting[i] = true;
    children[i].send(work.next(i), () => {
      waiting[i] = false;
      sendMore(i);
    });
  }
}

for (let i = 0; i < work.job.children; ++i) start(i);
