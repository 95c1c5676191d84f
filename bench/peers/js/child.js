// The child in JavaScript. It does "echo", "count N" or "work N", as child_task.hpp says.
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

if (task === 'work') {
  process.on('message', () => {
    work(Number(count));
    process.send({ sent_us: nowUs() });
  });
} else {
  process.on('message', (message) => {
    if (isToBeAnswered()) process.send(message);
  });
}
