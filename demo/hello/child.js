// The child of the Hello pair. Any parent that uses the protocol of Node's channel can run it.
console.log('[Child] initalize');

process.on('message', (message) => {
  console.log('[Child] Child doing some intense work');
  process.send(message === 'Hello' ? 'Hello to you too :)' : 'what?');
});
