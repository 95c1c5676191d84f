// The parent of the requests demo: one request that is answered, and four that are not. It runs the
// child beside this file, or the one given as an argument: a .js file, or a program.
const { fork } = require('node:child_process');
const path = require('node:path');

class Requests {
  #child;
  #waiting = new Map();
  #lastId = 0;

  constructor(child) {
    this.#child = child;
    child.on('message', ({ id, result, error }) => {
      const waits = this.#waiting.get(id);
      this.#waiting.delete(id);
      error ? waits?.reject(new Error(error.message)) : waits?.resolve(result);
    });
    child.once('exit', (code, signal) => {
      const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
      for (const { reject } of this.#waiting.values()) reject(new Error(`the child ${how}`));
    });
  }

  request(method, params, signal) {
    const id = ++this.#lastId;
    this.#child.send({ jsonrpc: '2.0', id, method, params });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => {
        this.#waiting.delete(id);
        this.#child.send({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id } });
        reject(signal.reason);
      });
    });
  }
}

// Prints the answer, or why there is none.
async function print(what, request) {
  const outcome = await request.catch((error) => error.message);
  console.log(`[Parent] ${what}: `, outcome);
}

async function talk(child) {
  const requests = new Requests(child);
  const greet = (greeting) => requests.request('greet', greeting);
  const work = (signal) => requests.request('work', 60_000, signal);  // ms

  await print('Answer from child', greet('Hello'));
  await print('One that fails', greet('Bonjour'));
  await print('One that is late', work(AbortSignal.timeout(50)));

  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await print('One that is cancelled', work(stop.signal));

  setTimeout(() => child.kill(), 50);
  await print('One whose child is killed', work());
}

console.log('[Parent] initalize');

const module_ = path.resolve(process.argv[2] ?? path.join(__dirname, 'child.js'));
talk(path.extname(module_) === '.js' ? fork(module_) : fork('', { execPath: module_ }));
