// Returns message number i of an exchange, the same as sample() of node_child.cpp.
exports.sample = (i) => ({
  number: i,
  text: `Grüße ${i}, 你好 😀 \u2028\u2029\u0000\u001f\u007f\u0080 "\\/\b\f\n\r\t`,
  nested: { list: [[], {}, [i, [i + 0.5]]], 'ключ 😀': { '': null } },
  numbers: [2 ** 53, -(2 ** 53), 1e21, -0, 1e-7, 5e-324, 1.7976931348623157e308, 0.1],
  flags: [true, false],
});

// Returns a text of so many bytes. It has characters of one to four bytes, at every position around
// the end of a read.
exports.largeText = (bytes) => 'aé你😀'.repeat(bytes / 10);

const deno = process.versions.deno !== undefined;

// Returns what a runtime receives for sample(i), which a C++ program sends. Deno makes BigInts of
// integers that no double holds safely.
exports.received = (i) => {
  const value = exports.sample(i);
  const bigInDeno = (number) => (deno && Math.abs(number) === 2 ** 53 ? BigInt(number) : number);
  return { ...value, numbers: value.numbers.map(bigInDeno) };
};
