// A script for workerpool's worker processes.
const workerpool = require('workerpool');

workerpool.worker({
  add: (a, b) => a + b,
  later: async (value) => value,
  nothing: () => {},
  report: (steps) => {
    for (let step = 1; step <= steps; ++step) workerpool.workerEmit({ step });
    return 'done';
  },
  fail: (message) => { throw Object.assign(new RangeError(message), { code: 'E_FAIL' }); },
  numbered: (code) => { throw Object.assign(new Error('numbered'), { code }); },
  never: () => new Promise(() => {}),
  die: () => process.kill(process.pid, 'SIGKILL'),
}, { onTerminate: (code) => process.send({ terminating: code }) });
