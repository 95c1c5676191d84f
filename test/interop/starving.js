const { execFileSync } = require('node:child_process');

const limit = (pid, most) => execFileSync('prlimit', ['--pid', pid, `--nofile=${most}:`]);

// Prevents a process from opening descriptors in addition to its stdio and its channel.
exports.starve = (pid) => limit(pid, 4);
exports.feed = (pid) => limit(pid, 1024);
