// The worker of a pool of processes, which adds two numbers: of jest-worker, workerpool or tinypool.
'use strict';

exports.add = ({ a, b }) => a + b;
exports.pid = () => process.pid;

if (process.argv.includes('workerpool')) require('workerpool').worker(exports);
