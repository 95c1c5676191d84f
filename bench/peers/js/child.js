// "echo", or "count N": child_task.hpp in another language.
'use strict';

const [task, count] = process.argv.slice(2);
let heard = 0;

function isToBeAnswered() {
  if (task === 'echo') return true;
  const before = heard++;
  return before === 0 || before === Number(count);
}

process.on('message', (message) => {
  if (isToBeAnswered()) process.send(message);
});
