// The child on vscode-jsonrpc, which adds two numbers on request.
'use strict';

const rpc = require('vscode-jsonrpc/node');

const connection = rpc.createMessageConnection(
  new rpc.IPCMessageReader(process),
  new rpc.IPCMessageWriter(process),
);
connection.onRequest('add', ({ a, b }) => a + b);
connection.listen();
