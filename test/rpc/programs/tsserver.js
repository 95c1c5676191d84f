// Speaks the protocol of TypeScript's server (--useNodeIpc), with one command.
const send = (message) => process.send({ seq: 0, ...message });
send({ type: 'event', event: 'typingsInstallerPid', body: { pid: 1 } });
process.on('message', ({ seq, type, command, arguments: args }) => {
  if (type !== 'request' || command === 'never') return;
  const answer = { type: 'response', command, request_seq: seq };
  if (command === 'quickinfo') {
    send({ ...answer, success: true, body: { kind: 'const', file: args.file } });
  } else {
    send({ ...answer, success: false, message: `Unrecognized command ${command}` });
  }
});
