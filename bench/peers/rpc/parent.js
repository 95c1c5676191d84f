// The parent on vscode-jsonrpc: it asks a child for a sum, again and again.
'use strict';

const { fork } = require('node:child_process');
const rpc = require('vscode-jsonrpc/node');
const { Requests } = require('./requests.js');

new Requests(process.argv[2]).run(({ exec_path: execPath, module }) => {
  const child = execPath ? fork('', { execPath }) : fork(module);
  const connection = rpc.createMessageConnection(
    new rpc.IPCMessageReader(child),
    new rpc.IPCMessageWriter(child),
  );
  connection.listen();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: () => child.pid,
    add: (a, b) => connection.sendRequest('add', { a, b }),
    end() {
      child.disconnect();
      return ended;
    },
  };
});
