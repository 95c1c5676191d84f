// A path goes with the server that made it; another name for it stays.
const fs = require('node:fs');

function kept(address) {
  if (address.path === undefined) return address;
  const other = `${address.path}.kept`;
  fs.linkSync(address.path, other);
  return { path: other };
}

module.exports = { kept };
