// What webpack compiles.
exports.count = 1;
