// A Node child with requests that can be cancelled and that report progress.
const { setTimeout: sleep } = require('node:timers/promises');
const methods = {
  add: ({ a, b }) => a + b,
  slow: async (ms, { signal, progress }) => {
    progress(50);
    await sleep(ms, null, { signal });
    return 'done';
  },
  timeout: (_, { timeout }) => timeout ?? null,
  spin: () => {
    for (;;);
  },
  fail: () => {
    throw Object.assign(new Error('failed'), { code: 7 });
  },
};
const running = new Map();
process.on('message', async ({ id, method, params, timeout }) => {
  if (method === '$/cancelRequest') return running.get(params.id)?.abort();
  if (id === undefined || method === undefined) return;
  const stop = new AbortController();
  running.set(id, stop);
  const answer = { jsonrpc: '2.0', id };
  const progress = (value) =>
    process.send({ jsonrpc: '2.0', method: '$/progress', params: { token: id, value } });
  try {
    if (!Object.hasOwn(methods, method)) {
      throw Object.assign(new Error(`no method ${method}`), { code: -32601 });
    }
    answer.result = (await methods[method](params, { signal: stop.signal, progress, timeout })) ?? null;
  } catch (error) {
    const code = stop.signal.aborted ? -32800 : Number.isInteger(error.code) ? error.code : -32603;
    answer.error = { code, message: error.message, data: { name: error.name } };
  }
  running.delete(id);
  process.send(answer);
});
process.send('ready');
