// A child that expects the values of advanced_values.js from its parent, one after the other, and
// sends each back.
const assert = require('node:assert');
const { values } = require('./advanced_values.js');

const expected = values();
let came = 0;
process.on('message', (message) => {
  assert.deepStrictEqual(message, { value: expected[came++] });
  process.send(message);
});
