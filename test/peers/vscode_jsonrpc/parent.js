// vscode-jsonrpc with a C++ child.
//
//   node parent.js CHILD
const assert = require('node:assert');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const rpc = require('vscode-jsonrpc/node');

const [program] = process.argv.slice(2);

function start() {
  const child = fork('', { execPath: program });
  const connection = rpc.createMessageConnection(
    new rpc.IPCMessageReader(child), new rpc.IPCMessageWriter(child));
  connection.listen();
  return { child, connection };
}

// Returns the error of a request.
async function errorOf(request) {
  const error = await request.then(assert.fail, (reason) => reason);
  assert(error instanceof rpc.ResponseError, error);
  return { ...error, message: error.message };
}

async function asksChild({ connection }) {
  assert.strictEqual(await connection.sendRequest('add', 1, 2), 3);
  assert.strictEqual(await connection.sendRequest('nothing'), null);
  const many = Array.from({ length: 100 }, (_, i) => connection.sendRequest('add', i, 1));
  assert.deepStrictEqual(await Promise.all(many), Array.from({ length: 100 }, (_, i) => i + 1));

  const error = { code: 7, message: 'failed', data: { why: ['so'] } };
  assert.deepStrictEqual(await errorOf(connection.sendRequest('fail', error)), error);
  const thrown = { code: rpc.ErrorCodes.InternalError, message: 'thrown', data: undefined };
  assert.deepStrictEqual(await errorOf(connection.sendRequest('throw')), thrown);
  const { code: unknown } = await errorOf(connection.sendRequest('no such method'));
  assert.strictEqual(unknown, rpc.ErrorCodes.MethodNotFound);
  const { code: wrong } = await errorOf(connection.sendRequest('add', 'one', 'two'));
  assert.strictEqual(wrong, rpc.ErrorCodes.InvalidParams);

  await connection.sendNotification('log', 3);
  await connection.sendNotification('log', 4);
  assert.strictEqual(await connection.sendRequest('logged'), 7);
}

async function cancels({ connection }) {
  const source = new rpc.CancellationTokenSource();
  const waits = errorOf(connection.sendRequest('wait', source.token));
  assert.strictEqual(await connection.sendRequest('stops'), 0);
  source.cancel();
  const error = await waits;
  assert.strictEqual(error.code, -32800);
  assert.match(error.message, /^stopped/);
  assert.strictEqual(await connection.sendRequest('stops'), 1);
}

async function hearsProgress({ connection }) {
  const steps = [];
  const listener = connection.onProgress(new rpc.ProgressType(), 'a token', (step) => steps.push(step));
  const work = { steps: 3, workDoneToken: 'a token' };
  assert.strictEqual(await connection.sendRequest('work', work), 'done');
  assert.deepStrictEqual(steps, [1, 2, 3]);
  listener.dispose();
}

async function isAsked({ connection }) {
  connection.onRequest('multiply', ({ a, b }) => a * b);
  connection.onRequest('fail', ({ code, message, data }) => {
    throw new rpc.ResponseError(code, message, data);
  });
  const factors = { a: 6, b: 7 };
  assert.strictEqual(await connection.sendRequest('ask', 'multiply', factors), 42);
  const error = { code: 8, message: 'of the parent', data: [1] };
  assert.deepStrictEqual(await errorOf(connection.sendRequest('ask', 'fail', error)), error);
  const { code } = await errorOf(connection.sendRequest('ask', 'no such method', {}));
  assert.strictEqual(code, rpc.ErrorCodes.MethodNotFound);

  // The cancellation comes right behind the request, perhaps before the handler is called.
  const cancelled = new Promise((resolve) => {
    connection.onRequest('wait', (token) => {
      if (token.isCancellationRequested) resolve();
      token.onCancellationRequested(resolve);
      return cancelled;
    });
  });
  assert.strictEqual((await errorOf(connection.sendRequest('ask and cancel', 'wait'))).code, -32800);
  await cancelled;

  const told = new Promise((resolve) => { connection.onNotification('told', resolve); });
  await connection.sendRequest('tell', 'told', { number: 1 });
  assert.deepStrictEqual(await told, { number: 1 });
}

// A request to a child that dies is not settled by itself.
async function childDies() {
  const { child, connection } = start();
  const closed = new Promise((resolve) => { connection.onClose(resolve); });
  const waits = errorOf(connection.sendRequest('wait'));
  await connection.sendNotification('die');
  assert.deepStrictEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  await closed;
  assert(connection.hasPendingResponse());
  connection.dispose();
  assert.strictEqual((await waits).code, rpc.ErrorCodes.PendingResponseRejected);
}

(async () => {
  const peer = start();
  await asksChild(peer);
  await cancels(peer);
  await hearsProgress(peer);
  await isAsked(peer);
  peer.child.disconnect();
  assert.deepStrictEqual(await once(peer.child, 'exit'), [0, null]);
  await childDies();
})();
