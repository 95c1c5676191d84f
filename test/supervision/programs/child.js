// A child that is told what to do: "ready" sends that, "deaf" ignores the end of its channel and
// SIGTERM, "spin" computes for ever after the message "go", "block" waits for ever after it.
'use strict';
const todo = process.argv.slice(2);
process.on('message', (message) => {
  if (message === 'exit') process.exit(3);
  if (message !== 'go') process.send(message);
  else if (todo.includes('spin')) for (;;);
  else if (todo.includes('block')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
if (todo.includes('deaf')) {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1e6);
}
if (todo.includes('ready')) process.send('ready');
