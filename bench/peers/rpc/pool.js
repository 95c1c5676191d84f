// The parent on a pool of one process for each child: of jest-worker, workerpool or tinypool, as the
// argument before the job says.
'use strict';

const { Requests } = require('./requests.js');

const worker = require.resolve('./worker.js');

// Return a function that starts a pool.
const pools = {
  'jest-worker'() {
    const { Worker } = require('jest-worker');
    return () => {
      const pool = new Worker(worker, { numWorkers: 1, exposedMethods: ['add', 'pid'] });
      return { add: (a, b) => pool.add({ a, b }), pid: () => pool.pid(), end: () => pool.end() };
    };
  },

  workerpool() {
    const workerpool = require('workerpool');
    const options = { maxWorkers: 1, workerType: 'process', forkArgs: ['workerpool'] };
    return () => {
      const pool = workerpool.pool(worker, options);
      return {
        add: (a, b) => pool.exec('add', [{ a, b }]),
        pid: () => pool.exec('pid', []),
        end: () => pool.terminate(),
      };
    };
  },

  async tinypool() {
    // It is a module of the newer kind, which require() does not load.
    const { Tinypool } = await import(require.resolve('tinypool'));
    const options = { filename: worker, runtime: 'child_process', minThreads: 1, maxThreads: 1 };
    return () => {
      const pool = new Tinypool(options);
      return {
        add: (a, b) => pool.run({ a, b }, { name: 'add' }),
        pid: () => pool.run(null, { name: 'pid' }),
        end: () => pool.destroy(),
      };
    };
  },
};

const [name, job] = process.argv.slice(2);
Promise.resolve(pools[name]()).then((start) => new Requests(job).run(start));
