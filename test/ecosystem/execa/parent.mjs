// execa with a C++ child.
//
//   node parent.mjs CHILD
import assert from 'node:assert';
import { execa, execaNode } from 'execa';
import { values } from '../values.mjs';

const [child] = process.argv.slice(2);

// Sends a message and returns the next one that comes.
async function exchange(subprocess, message, { strict, ...options } = {}) {
  const [answer] = await Promise.all([
    subprocess.getOneMessage(options), subprocess.sendMessage(message, { strict }),
  ]);
  return answer;
}

async function messages() {
  const subprocess = execa(child, { ipc: true, stderr: 'inherit' });
  assert.deepStrictEqual(await exchange(subprocess, values()), values());
  assert.deepStrictEqual(await exchange(subprocess, values(), { strict: true }), values());
  const again = { again: values() };
  assert.deepStrictEqual(await exchange(subprocess, again, { strict: true }), again);

  const [second] = await Promise.all([
    subprocess.getOneMessage({ filter: ({ number }) => number === 2 }),
    subprocess.sendMessage({ number: 1, ...values() }),
    subprocess.sendMessage({ number: 2, ...values() }),
  ]);
  assert.deepStrictEqual(second, { number: 2, ...values() });

  // The child sends a strict message, and tells how it has been acknowledged.
  const acknowledged = subprocess.getOneMessage({ filter: (message) => 'acknowledged' in message });
  assert.deepStrictEqual(await exchange(subprocess, { strict: values() }), values());
  assert.deepStrictEqual(await acknowledged, { acknowledged: true });

  const each = [];
  const sent = Array.from({ length: 5 }, (_, number) => ({ number, ...values() }));
  await Promise.all([
    (async () => {
      for await (const message of subprocess.getEachMessage()) {
        if (each.push(message) === sent.length) break; // this disconnects
      }
    })(),
    (async () => { for (const message of sent) await subprocess.sendMessage(message); })(),
  ]);
  assert.deepStrictEqual(each, sent);

  const { ipcOutput, exitCode } = await subprocess;
  assert.strictEqual(exitCode, 0);
  assert.deepStrictEqual(ipcOutput, [
    values(), values(), again, { number: 1, ...values() }, { number: 2, ...values() },
    values(), { acknowledged: true }, ...sent,
  ]);
}

async function input() {
  const subprocess = execa(child, { ipcInput: values(), stderr: 'inherit' });
  for await (const message of subprocess.getEachMessage()) {
    assert.deepStrictEqual(message, values());
    break;
  }
  assert.deepStrictEqual((await subprocess).ipcOutput, [values()]);
}

async function gracefulCancel(reason, received) {
  const controller = new AbortController();
  const subprocess = execa(child, {
    cancelSignal: controller.signal, gracefulCancel: true, stderr: 'inherit',
    forceKillAfterDelay: false, // by default, 5 s: too short for a busy machine
  });
  await exchange(subprocess, 'ready');
  controller.abort(reason);
  await assert.rejects(subprocess, (error) => {
    assert.strictEqual(error.cause, controller.signal.reason);
    assert(error.isGracefullyCanceled);
    assert.strictEqual(error.exitCode, 0);
    assert.deepStrictEqual(error.ipcOutput, ['ready', { cancelled: received }]);
    return true;
  });
}

async function node() {
  const subprocess = execaNode('script.js', ['--option', 'two words'], {
    nodePath: child, nodeOptions: ['--no-warnings'], stderr: 'inherit',
  });
  assert.deepStrictEqual(await exchange(subprocess, 'arguments'),
    ['--no-warnings', 'script.js', '--option', 'two words']);
  subprocess.disconnect();
  await subprocess;
}

await messages();
await input();
const enough = new RangeError('enough', { cause: values() });
await gracefulCancel(enough, enough);
await gracefulCancel(values(), values());
// Without a reason, execa sends an Error with the text of the DOMException that is the reason then.
await gracefulCancel(undefined, new Error('This operation was aborted'));
await node();
