// Runs a parent of the Hello pair and checks what the three processes print.
//
//   node check_hello.js PARENT [ARGUMENT…]
//
// All processes print to one pipe, so a line comes before the lines that it causes.
const assert = require('node:assert');
const { linesOf } = require('./run_demo.js');

const [parent, ...args] = process.argv.slice(2);
const lines = linesOf(parent, args);

const started = '[Child] initalize';
const worked = '[Child] Child doing some intense work';
const hello = '[Parent] Answer from child:  Hello to you too :)';
const what = '[Parent] Answer from child:  what?';
assert.deepStrictEqual([...lines].sort(), [
  '[Parent] initalize', started, started, worked, worked, worked, hello, hello, what,
].sort());

// The parent forks after its first line, so that line is the first of all.
assert.strictEqual(lines[0], '[Parent] initalize');

// A child prints its first line before it works. One child works twice. An answer comes after the
// child's work.
const count = (end, ...wanted) => lines.slice(0, end).filter((line) => wanted.includes(line)).length;
for (let end = 1; end <= lines.length; ++end) {
  const children = count(end, started);
  const works = count(end, worked);
  assert(works <= [0, 2, 3][children], `${works} works of ${children} children\n${lines.join('\n')}`);
  assert(count(end, hello, what) <= works, `an answer before its work\n${lines.join('\n')}`);
}
