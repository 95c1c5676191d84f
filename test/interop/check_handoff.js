// Runs a parent of the handoff demo and checks which answers its clients get.
//
//   node check_handoff.js PARENT [ARGUMENT…]
const assert = require('node:assert');
const { linesOf } = require('./run_demo.js');

const [parent, ...args] = process.argv.slice(2);
assert.deepStrictEqual(linesOf(parent, args).sort(), [
  '[Client] !Hurry -> the special worker got !Hurry',
  '[Client] Bonjour -> the normal worker got Bonjour',
  '[Client] Hello -> the normal worker got Hello',
]);
