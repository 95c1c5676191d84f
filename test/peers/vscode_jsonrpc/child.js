// Answers requests of its parent, and asks it, through vscode-jsonrpc.
const rpc = require('vscode-jsonrpc/node');

const connection = rpc.createMessageConnection(
  new rpc.IPCMessageReader(process), new rpc.IPCMessageWriter(process));
const progress = new rpc.ProgressType();
let logged = 0;
let stops = 0;

// Returns what comes of a request to the parent. Node loses undefined members in JSON.
async function outcome(request) {
  try {
    return { result: await request };
  } catch ({ code, message, data }) {
    return { code, message, data };
  }
}

connection.onRequest('add', (a, b) => a + b);
connection.onRequest('sum', ({ a, b }) => a + b);
connection.onRequest('nothing', () => {});
connection.onRequest('fail', ({ code, message, data }) => {
  throw new rpc.ResponseError(code, message, data);
});
connection.onRequest('throw', () => { throw new TypeError('thrown'); });

// Fails when it is cancelled. A token that is cancelled before a handler gets it calls no listener.
connection.onRequest('wait', (token) => new Promise((_, reject) => {
  const stop = () => {
    ++stops;
    reject(new rpc.ResponseError(-32800, 'stopped'));
  };
  if (token.isCancellationRequested) return stop();
  token.onCancellationRequested(stop);
}));
connection.onRequest('stops', () => stops);

connection.onRequest('work', ({ steps, workDoneToken }) => {
  for (let step = 1; step <= steps; ++step) connection.sendProgress(progress, workDoneToken, step);
  return 'done';
});

connection.onNotification('log', (number) => { logged += number; });
connection.onRequest('logged', () => logged);
connection.onNotification('die', () => process.kill(process.pid, 'SIGKILL'));

// Ask the parent.
connection.onRequest('ask', (method, params) => outcome(connection.sendRequest(method, params)));
connection.onRequest('ask and cancel', (method) => {
  const source = new rpc.CancellationTokenSource();
  const request = outcome(connection.sendRequest(method, source.token));
  source.cancel();
  return request;
});
connection.onRequest('tell', (method, params) => connection.sendNotification(method, params));

connection.listen();
