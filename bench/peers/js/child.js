// The child in JavaScript. It does "echo", "count N" or "work N", as child_task.hpp says. Of a
// payload, it answers with the sum of the bytes, as words of 32 bits.
'use strict';

const { nowUs } = require('./clock.js');

const [task, count] = process.argv.slice(2);
let received = 0;

function isToBeAnswered() {
  if (task === 'echo') return true;
  const before = received++;
  return before === 0 || before === Number(count);
}

function work(us) {
  for (const began = nowUs(); nowUs() - began < us; );
}

function sum(bytes) {
  let total = 0;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  for (let i = 0; i < words.length; ++i) total += words[i];
  return total;
}

if (task === 'work') {
  process.on('message', () => {
    work(Number(count));
    process.send({ sent_us: nowUs() });
  });
} else {
  process.on('message', (message) => {
    const answer = message instanceof Uint8Array ? sum(message) : message;
    if (isToBeAnswered()) process.send(answer);
  });
}
