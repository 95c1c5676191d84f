// A clock that both ends share. Node's hrtime is CLOCK_MONOTONIC, which a child or parent in C++
// reads too. The hrtime of Bun and Deno begins with the process, so they use the wall clock, which
// has the same resolution.
'use strict';

const hrtimeIsShared = !process.versions.bun && !process.versions.deno;

exports.nowUs = hrtimeIsShared
  ? () => Number(process.hrtime.bigint()) / 1e3
  : () => (performance.timeOrigin + performance.now()) * 1e3;
