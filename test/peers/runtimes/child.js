// Answers requests of its parent, and asks it, with no library.
const methods = {
  add: ({ a, b }) => a + b,
  fail: (error) => { throw Object.assign(new Error(error.message), error); },
  // Asks the parent, and returns what comes of it.
  ask: ([method, params]) => ask(method, params).then((result) => ({ result }), (error) => ({ error })),
  report: (steps, { progress }) => {
    for (let step = 1; step <= steps; ++step) progress(step);
    return 'done';
  },
  wait: (_, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')));
  }),
};

const running = new Map();
const waiting = new Map();
const send = (message) => process.send({ jsonrpc: '2.0', ...message });

function ask(method, params) {
  const id = `of the child: ${method}`;
  send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

async function answer({ id, method, params }) {
  const stop = new AbortController();
  const progress = (value) => send({ method: '$/progress', params: { token: id, value } });
  running.set(id, stop);
  try {
    if (!Object.hasOwn(methods, method)) {
      throw Object.assign(new Error(`no method ${method}`), { code: -32601 });
    }
    const result = await methods[method](params, { signal: stop.signal, progress });
    send({ id, result: result ?? null });
  } catch ({ code = stop.signal.aborted ? -32800 : -32603, message, data }) {
    send({ id, error: { code, message, data } });
  }
  running.delete(id);
}

process.on('message', (message) => {
  const { id, method, params, result, error } = message;
  if (method === '$/cancelRequest') return running.get(params.id)?.abort();
  if (method !== undefined) return answer(message);
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  return error === undefined ? resolve(result) : reject(error);
});
