// jest-worker with a C++ worker.
//
//   node parent.mjs CHILD
import assert from 'node:assert';
import { Worker } from 'jest-worker';
import { values } from '../values.mjs';

const [child] = process.argv.slice(2);
const worker = new Worker('/no/such/module.js', {
  exposedMethods: ['add', 'echo', 'given', 'report', 'fail'],
  forkOptions: { execPath: child },
  numWorkers: 2,
  setupArgs: [values()],
  workerGracefulExitTimeout: 60_000, // by default, 500 ms: too short for a busy machine
});
worker.getStderr().pipe(process.stderr);
await worker.start();

assert.deepStrictEqual(await worker.given(), { path: '/no/such/module.js', setupArgs: [values()] });

const calls = Array.from({ length: 20 }, (_, number) => ({ number, ...values() }));
assert.deepStrictEqual(await Promise.all(calls.map((call) => worker.echo(call))), calls);

const point = { x: 21 };
const twice = await worker.echo({ a: point, b: point });
assert.deepStrictEqual(twice, { a: point, b: point });
assert.strictEqual(twice.a, twice.b);
const circular = { list: [point] };
circular.list.push(circular, point);
assert.deepStrictEqual(await worker.echo(circular), circular);
assert.strictEqual(await worker.add(point, point), 42);

const reports = [];
const reporting = worker.report(values());
reporting.UNSTABLE_onCustomMessage((report) => reports.push(report));
assert.strictEqual(await reporting, null);
assert.deepStrictEqual(reports, [values()]);

await assert.rejects(worker.fail(values()), (error) => {
  assert(error instanceof RangeError);
  assert.strictEqual(error.message, 'there is no fail');
  assert.strictEqual(error.stack, 'RangeError: there is no fail');
  assert.deepStrictEqual({ ...error }, { type: 'RangeError', method: 'fail' });
  return true;
});

assert.deepStrictEqual(await worker.end(), { forceExited: false });
