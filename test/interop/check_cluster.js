// Runs the cluster demo and checks what its processes print, which of them answer requests, and how
// it ends.
//
//   node check_cluster.js SIGNAL PARENT [ARGUMENT…]
//
// SIGINT goes to all processes of the demo, as with Ctrl-C. SIGTERM goes to the primary only. A
// JavaScript parent is run by the node that runs this script. The parent gets a port as its last
// argument.
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const workers = os.availableParallelism();

async function freePort() {
  const server = net.createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function ask(port, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => { body += text; });
      response.on('end', () => resolve({ status: response.statusCode, body, reused: request.reusedSocket }));
    });
    request.on('error', reject);
  });
}

// Repeats the request until the servers listen, because the port is closed before.
async function askWhenOpen(port) {
  for (;;) {
    try {
      return await ask(port);
    } catch (error) {
      if (error.code !== 'ECONNREFUSED') throw error;
      await delay(5);
    }
  }
}

async function everyWorkerAnswers(port) {
  const answered = new Set();
  while (answered.size < workers) {
    const { status, body } = await askWhenOpen(port);
    assert.strictEqual(status, 200);
    assert.match(body, /^Hello from worker \d+\n$/);
    answered.add(Number(/\d+/.exec(body)[0]));
  }
  assert.deepStrictEqual([...answered].sort((a, b) => a - b), Array.from({ length: workers }, (_, i) => i + 1));
}

async function oneConnectionIsOfOneWorker(port, agent) {
  const first = await ask(port, { agent });
  for (let i = 0; i < 10; ++i) assert.deepStrictEqual(await ask(port, { agent }), { ...first, reused: true });
  const head = await ask(port, { agent, method: 'HEAD' });
  assert.deepStrictEqual(head, { status: 200, body: '', reused: true });
}

function checkLines(output) {
  const lines = output.split('\n');
  assert.strictEqual(lines.pop(), '');
  const each = (count, line) => Array(count).fill(line);
  assert.deepStrictEqual([...lines].sort(), [
    ...each(1 + workers, 'I am always called'),
    'I am the master, launching workers!',
    ...each(workers, 'I am a fork!'),
    ...each(1 + workers, 'I am always called as well'),
  ].sort());

  // The primary forks after its second line. A worker prints its three lines in order.
  assert.deepStrictEqual(lines.slice(0, 2), ['I am always called', 'I am the master, launching workers!']);
  for (let end = 1; end <= lines.length; ++end) {
    const count = (wanted) => lines.slice(0, end).filter((line) => line === wanted).length;
    assert(count('I am a fork!') < count('I am always called'), output);
    assert(count('I am always called as well') <= 1 + count('I am a fork!'), output);
  }
}

async function main(signal, parent, ...args) {
  const by = path.extname(parent) === '.js' ? [process.execPath, parent] : [parent];
  const port = await freePort();
  const child = spawn(by[0], [...by.slice(1), ...args, String(port)], {
    detached: true, stdio: ['ignore', 'pipe', 'inherit'],
  });
  // If a check fails, no process is left behind.
  process.on('exit', () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The processes have already ended.
    }
  });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text) => { output += text; });
  const closed = once(child, 'close');
  const kept = new http.Agent({ keepAlive: true, maxSockets: 1 });

  await Promise.race([
    closed.then(([code, by]) => assert.fail(`it has ended, ${code ?? by}`)),
    everyWorkerAnswers(port).then(() => oneConnectionIsOfOneWorker(port, kept)),
  ]);
  kept.destroy();
  process.kill(signal === 'SIGINT' ? -child.pid : child.pid, signal);

  // Then all processes have ended, because they share one output.
  assert.deepStrictEqual(await closed, [0, null]);
  checkLines(output);
  await assert.rejects(ask(port), { code: 'ECONNREFUSED' });
}

setTimeout(() => { throw new Error('not done after 60 s'); }, 60_000).unref();
main(...process.argv.slice(2));
