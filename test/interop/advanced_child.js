// A child that sends the values of advanced_values.js to its parent, which sends each back. Exits
// with 0 if all come back unchanged.
const assert = require('node:assert');
const { values } = require('./advanced_values.js');

const sent = values();
let back = 0;
process.on('message', (message) => {
  assert.deepStrictEqual(message, { value: values()[back] });
  if (++back === sent.length) process.disconnect();
});
for (const value of sent) process.send({ value });
