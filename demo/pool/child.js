// A worker of the pool demo: see child.cpp.
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { answer } = require('../../node');

function hashOf(file) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of readFileSync(file)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

answer({
  hash(file) {
    if (path.extname(file) === '.crash') {
      console.error(`[Child] cannot bear ${file}`);
      process.kill(process.pid, 'SIGSEGV');
      for (;;);  // until the signal comes
    }
    while (path.extname(file) === '.hang');
    return hashOf(file);
  },
});
