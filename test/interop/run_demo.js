const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');

// Runs a parent of a demo, which must succeed. Returns the lines that the parent and its children
// print. JavaScript programs are run by the node that runs this script.
exports.linesOf = (parent, args) => {
  const by = path.extname(parent) === '.js' ? [process.execPath, parent] : [parent];
  const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH}` };
  const run = spawnSync(by[0], [...by.slice(1), ...args], {
    env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'inherit'],
  });

  assert.deepStrictEqual([run.error, run.status, run.signal], [undefined, 0, null]);
  const lines = run.stdout.split('\n');
  assert.strictEqual(lines.pop(), '');
  return lines;
};
