// vitest with a C++ worker.
//
//   node parent.mjs CHILD
import assert from 'node:assert';
import path from 'node:path';
import { startVitest } from 'vitest/node';
import { values } from '../values.mjs';

process.execPath = process.argv[2];
const file = path.join(import.meta.dirname, 'module.mjs');
let end;
let config;
await startVitest('test', [], {
  root: import.meta.dirname,
  config: false,
  watch: false,
  cache: false,
  include: ['module.mjs'],
  reporters: [{
    onTestRunEnd(...args) {
      end = args;
      config = args[0][0].project.serializedConfig;
    },
  }],
  testNamePattern: /passes|fails/i,
  provide: { values: values() },
});

const [modules, errors, state] = end;
assert.deepStrictEqual(errors, []);
assert.strictEqual(state, 'failed'); // because of the test that fails
assert.deepStrictEqual(modules.map((module) => module.moduleId), [file]);
const [passes, fails] = modules[0].children.allTests();

assert.deepStrictEqual(passes.result(), { state: 'passed', errors: undefined });
assert.deepStrictEqual(passes.meta(), {
  start: {
    __vitest_worker_request__: true,
    type: 'start',
    poolId: 1,
    workerId: 0,
    options: { reportMemory: false },
    context: {
      environment: { name: 'node', options: null },
      config, // with a RegExp, and many members that are undefined
      pool: 'forks',
    },
    traces: { enabled: false, sdkPath: undefined, otelCarrier: undefined },
  },
  run: {
    __vitest_worker_request__: true,
    type: 'run',
    context: {
      files: [{
        filepath: file, fileTags: [], testLocations: undefined, testNamePattern: undefined,
        testIds: undefined, testTagsFilter: undefined,
      }],
      invalidates: [],
      providedContext: { values: values() },
      workerId: 0,
      environment: { name: 'node', options: null },
    },
    otelCarrier: undefined,
  },
});
assert.deepStrictEqual(config.testNamePattern, /passes|fails/i);
assert.strictEqual(Object.values(config).includes(undefined), true);

assert.deepStrictEqual(fails.result(), {
  state: 'failed', errors: [{ name: 'AssertionError', message: '1 is not 2', stacks: [] }],
});
process.exitCode = 0; // vitest has set it, because of the test that fails
