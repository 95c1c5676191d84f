// Runs a parent of the requests demo and checks what the two processes print.
//
//   node check_requests.js PARENT [ARGUMENT…]
const assert = require('node:assert');
const { linesOf } = require('./run_demo.js');

const [parent, ...args] = process.argv.slice(2);
const lines = linesOf(parent, args);

// The texts of errors differ between C++ and Node.
const expected = [
  /^\[Parent\] initalize$/,
  /^\[Child\] initalize$/,
  /^\[Child\] Child doing some intense work$/,
  /^\[Parent\] Answer from child:  Hello to you too :\)$/,
  /^\[Child\] Child doing some intense work$/,
  /^\[Parent\] One that fails:  what\?$/,
  /^\[Parent\] One that is late:  .*(not in time|timeout)/,
  /^\[Parent\] One that is cancelled:  .*aborted/,
  /^\[Parent\] One whose child is killed:  .*(Channel closed|killed by SIGTERM)/,
];
assert.strictEqual(lines.length, expected.length, lines.join('\n'));
lines.forEach((line, i) => assert.match(line, expected[i]));
