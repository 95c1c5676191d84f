// A path disappears with the server that made it. Another name for it, a hard link, stays.
const fs = require('node:fs');

function kept(address) {
  if (address.path === undefined) return address;
  const other = `${address.path}.kept`;
  fs.linkSync(address.path, other);
  return { path: other };
}

module.exports = { kept };
