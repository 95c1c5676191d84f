const { execFileSync } = require('node:child_process');

const limit = (pid, most) => execFileSync('prlimit', ['--pid', pid, `--nofile=${most}:`]);

// Keeps a process from opening descriptors beyond its stdio and the channel after it.
exports.starve = (pid) => limit(pid, 4);
exports.feed = (pid) => limit(pid, 1024);
