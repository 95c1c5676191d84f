const { execFileSync } = require('node:child_process');

const limit = (pid, most) => execFileSync('prlimit', ['--pid', pid, `--nofile=${most}:`]);

// Leaves a process, which has its stdio and a channel behind it, no descriptor to open.
exports.starve = (pid) => limit(pid, 4);
exports.feed = (pid) => limit(pid, 1024);
