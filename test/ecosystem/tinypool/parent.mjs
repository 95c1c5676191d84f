// Tinypool with C++ workers.
//
//   node parent.mjs CHILD
import assert from 'node:assert';
import { Tinypool } from 'tinypool';
import { values } from '../values.mjs';

process.execPath = process.argv[2];
const filename = '/no/such/module.js';

// Runs tasks with these values. Tinypool shares a buffer with the threads of its other runtime, and
// sends it to processes too, which get a copy; `buffer` is that copy.
async function use(options, values, buffer) {
  const pool = new Tinypool({
    runtime: 'child_process', filename, minThreads: 1, maxThreads: 2, ...options,
  });
  assert.deepStrictEqual(await pool.run({}, { name: 'first' }), {
    filename,
    name: 'default',
    port: {},
    sharedBuffer: buffer,
    useAtomics: true,
    source: 'pool',
    __tinypool_worker_message__: true,
  });

  const tasks = Array.from({ length: 20 }, (_, number) => ({ number, ...values() }));
  assert.deepStrictEqual(await Promise.all(tasks.map((task) => pool.run(task))), tasks);

  // The answer of a task comes after the messages that were sent before the task.
  const received = [];
  const channel = {
    onMessage: (send) => send(values()),
    postMessage: (message) => received.push(message),
  };
  await pool.run({}, { channel });
  assert.deepStrictEqual(received, [values()]);

  await assert.rejects(pool.run({}, { name: 'no such name' }), (error) => {
    assert.deepStrictEqual(error, options.serialization === 'advanced'
      ? new RangeError('unknown name') : { $error: 'RangeError', message: 'unknown name' });
    return true;
  });
  await pool.destroy();
}

await use({ serialization: 'advanced' }, values, new Int32Array(2));
await use({}, () => ({ text: 'JSON is the default', list: [1, null, {}] }), { 0: 0, 1: 0 });
