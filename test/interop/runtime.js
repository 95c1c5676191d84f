// The runtime that runs this program, and how to run another program with it.
const { bun, deno } = process.versions;

exports.runtime = bun ? 'bun' : deno ? 'deno' : 'node';

// Returns the arguments with which process.execPath runs a module.
exports.running = (module, ...args) => (deno ? ['run', '-A', module, ...args] : [module, ...args]);
