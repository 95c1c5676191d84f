// Runs a parent of the Hello pair and checks what the three processes print.
//
//   node check_hello.js PARENT [ARGUMENT…]
//
// What is JavaScript of them is run by the node that runs this. All print to one pipe; a line is in it
// before anything is there that it is the cause of.
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const [parent, ...args] = process.argv.slice(2);
const by = path.extname(parent) === '.js' ? [process.execPath, parent] : [parent];
const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH}` };
const run = spawnSync(by[0], [...by.slice(1), ...args], {
  env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'inherit'],
});

assert.deepStrictEqual([run.error, run.status, run.signal], [undefined, 0, null]);
const lines = run.stdout.split('\n');
assert.strictEqual(lines.pop(), '');

const started = '[Child] initalize';
const worked = '[Child] Child doing some intense work';
const hello = '[Parent] Answer from child:  Hello to you too :)';
const what = '[Parent] Answer from child:  what?';
assert.deepStrictEqual([...lines].sort(), [
  '[Parent] initalize', started, started, worked, worked, worked, hello, hello, what,
].sort());

// The parent's first line is the first of all: it forks after it.
assert.strictEqual(lines[0], '[Parent] initalize');

// A child prints its first line before it works, and one works twice; an answer comes after its work.
const count = (end, ...wanted) => lines.slice(0, end).filter((line) => wanted.includes(line)).length;
for (let end = 1; end <= lines.length; ++end) {
  const children = count(end, started);
  const works = count(end, worked);
  assert(works <= [0, 2, 3][children], `${works} works of ${children} children\n${run.stdout}`);
  assert(count(end, hello, what) <= works, `an answer before its work\n${run.stdout}`);
}
