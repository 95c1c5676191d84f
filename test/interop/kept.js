// Returns another name for a path, a hard link, which stays when the server that made the path
// removes it.
const fs = require('node:fs');

function kept(address) {
  if (address.path === undefined) return address;
  const other = `${address.path}.kept`;
  fs.linkSync(address.path, other);
  return { path: other };
}

module.exports = { kept };
