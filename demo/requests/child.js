// The child of the requests demo. Any parent that speaks JSON-RPC 2.0 can run it.
const { setTimeout: sleep } = require('node:timers/promises');
const { answer } = require('../../node');

console.log('[Child] initalize');

answer({
  greet(greeting) {
    console.log('[Child] Child doing some intense work');
    if (greeting !== 'Hello') throw new Error('what?');
    return 'Hello to you too :)';
  },

  // Ends early when the parent gives the request up.
  work: async (milliseconds, { signal }) => {
    await sleep(milliseconds, null, { signal });
    return 'done';
  },
});
