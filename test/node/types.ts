// Uses every type of the package in node/.
import { answer, RequestError, type Call, type Methods } from '../../node';

const methods: Methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  count: async (to: number, { progress, signal, method }: Call) => {
    const isWanted: boolean = progress(to);
    signal.throwIfAborted();
    return `${method} ${isWanted}`;
  },
  fail: () => {
    throw new RequestError(7, 'text', { more: 1 });
  },
  close: (_params, { handle }) => {
    if (handle && 'close' in handle) handle.close();
  },
};

answer(methods);
answer(methods, process);

// @ts-expect-error  methods are functions
answer({ add: 1 });
// @ts-expect-error  an error has a code
new RequestError('text');
