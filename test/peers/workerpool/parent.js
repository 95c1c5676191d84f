// workerpool with a C++ worker.
//
//   node parent.js CHILD
const assert = require('node:assert');
const workerpool = require('workerpool');

const [program] = process.argv.slice(2);
const start = (options) => workerpool.pool('/no/such/script.js', {
  workerType: 'process', forkOpts: { execPath: program }, maxWorkers: 2, ...options,
});

// Returns the error of a task.
const errorOf = (task) => task.then(assert.fail, (error) => error);

async function asks(pool) {
  assert.strictEqual(await pool.exec('add', [1, 2]), 3);
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  const sums = await Promise.all(numbers.map((i) => pool.exec('add', [i, 1])));
  assert.deepStrictEqual(sums, numbers.map((i) => i + 1));
  assert.strictEqual(pool.stats().totalWorkers, 2);

  const proxy = await pool.proxy();
  assert.deepStrictEqual(Object.keys(proxy), ['add', 'echo', 'report', 'fail', 'never', 'die']);
  const value = { text: 'Grüße 你好 😀', list: [null, true, 0.5] };
  assert.deepStrictEqual(await proxy.echo(value), value);
  // Progress of the worker is no event of workerpool's.
  assert.strictEqual(await pool.exec('report', [3], { on: assert.fail }), 'done');
}

async function hearsErrors(pool) {
  const failed = await errorOf(pool.exec('fail', ['in C++']));
  assert.strictEqual(failed.message, 'in C++');
  assert.strictEqual(failed.code, 7);
  assert.deepStrictEqual(failed.data, { of: 'C++' });
  assert.strictEqual((await errorOf(pool.exec('no such method'))).code, -32601);
  assert.strictEqual((await errorOf(pool.exec('add', ['one', 'two']))).code, -32602);
  // workerpool sends the function's text to the method "run".
  assert.strictEqual((await errorOf(pool.exec((a) => a, [1]))).code, -32601);
}

// workerpool asks the worker to clean up, which C++ refuses, and ends it some time later.
async function givesUp(pool) {
  const late = await errorOf(pool.exec('never').timeout(50));
  assert(late instanceof workerpool.Promise.TimeoutError, late);
  const task = pool.exec('never');
  task.cancel();
  assert(await errorOf(task) instanceof workerpool.Promise.CancellationError);
  assert.strictEqual(await pool.exec('add', [1, 2]), 3);
}

async function workerDies(pool) {
  const error = await errorOf(pool.exec('die'));
  assert(error instanceof workerpool.TerminateError, error);
  assert.match(error.message, /signalCode: `SIGKILL`/);
  assert.strictEqual(await pool.exec('add', [1, 2]), 3);
}

(async () => {
  const pool = start();
  await asks(pool);
  await hearsErrors(pool);
  await workerDies(pool);
  await pool.terminate();
  const brief = start({ workerTerminateTimeout: 100 });
  await givesUp(brief);
  await brief.terminate();
})();
