// A Node primary with C++ workers, which run test/programs/worker. Runs one of the scenarios at the
// end of this file. SERIALIZATION is Node's setting, "json" if it is left out.
//
//   NODE_CLUSTER_SCHED_POLICY=rr|none node cluster_primary.js WORKER SCENARIO [SERIALIZATION]
const assert = require('node:assert');
const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const [program, scenario, serialization] = process.argv.slice(2);
const node = process.execPath; // it is replaced by the workers' program later
const roundRobin = cluster.schedulingPolicy === cluster.SCHED_RR;
const host = '127.0.0.1';

// A worker, and those of its messages that the scenario has not taken yet.
class Worker {
  constructor(env) {
    this.worker = cluster.fork(env);
    this.came = [];
    this.events = [];
    this.worker.on('message', (message) => this.came.push(message));
    for (const name of ['online', 'listening', 'disconnect', 'exit']) {
      this.worker.on(name, () => this.events.push(name));
    }
    // Node does not promise the order of these two.
    this.ended = Promise.all([once(this.worker, 'exit'), once(this.worker, 'disconnect')])
      .then(([exit]) => exit);
  }

  send(what) {
    this.worker.send(what);
  }

  async next() {
    while (this.came.length === 0) await once(this.worker, 'message');
    return this.came.shift();
  }

  // Makes the worker listen. Returns its port.
  async listen(how = {}) {
    this.send({ listen: { host, ...how } });
    const { listening, error } = await this.next();
    assert.strictEqual(error, undefined);
    return listening;
  }

  async end() {
    this.worker.disconnect();
    assert.deepStrictEqual(await this.ended, [0, null]);
    assert.strictEqual(this.worker.exitedAfterDisconnect, true);
    assert.deepStrictEqual(this.came, []);
  }
}

async function listenAll(count, how) {
  const workers = Array.from({ length: count }, () => new Worker());
  const ports = await Promise.all(workers.map((worker) => worker.listen(how)));
  assert(ports.every((port) => port === ports[0]), String(ports));
  return { workers, port: ports[0] };
}

const endAll = (workers) => Promise.all(workers.map((worker) => worker.end()));

// Connects. Returns all bytes that come until the connection is closed.
function answerAt(address) {
  const socket = net.connect({ host, ...address });
  let text = '';
  socket.on('data', (bytes) => { text += bytes; });
  return once(socket, 'close').then(() => text);
}

async function answersAt(address, count) {
  const answers = {};
  for (let i = 0; i < count; ++i) {
    const answer = await answerAt(address);
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  return answers;
}

// Checks that only these workers answer, and with round robin each of them as often as the others.
async function answeredBy(address, ids) {
  const answers = await answersAt(address, 3 * ids.length);
  if (roundRobin) {
    assert.deepStrictEqual(answers, Object.fromEntries(ids.map((id) => [id, 3])));
  } else {
    for (const id of Object.keys(answers)) assert(ids.includes(Number(id)), id);
  }
}

async function datagramAnswerAt(port) {
  const socket = dgram.createSocket('udp4');
  socket.send('who?', port, host);
  const [bytes] = await once(socket, 'message');
  socket.close();
  return String(bytes);
}

function newPath() {
  const folder = fs.mkdtempSync('/tmp/tine-cluster-');
  process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, 'a');
}

// Ends a worker with how(worker), and checks its exit and whether it was voluntary.
async function endsBy(how, exit, voluntary) {
  const worker = new Worker();
  const port = await worker.listen();
  how(worker);
  assert.deepStrictEqual(await worker.ended, exit);
  assert.strictEqual(worker.worker.exitedAfterDisconnect, voluntary);
  assert(worker.worker.isDead() && !worker.worker.isConnected());
  await assert.rejects(once(net.connect(port, host), 'connect'), { code: 'ECONNREFUSED' });
}

const scenarios = {
  async events() {
    const all = [];
    for (const name of ['fork', 'online', 'listening', 'disconnect', 'exit']) {
      cluster.on(name, ({ id }) => all.push([name, id]));
    }
    const worker = new Worker();
    const listening = once(worker.worker, 'listening');
    const port = await worker.listen();
    const [address] = await listening;
    assert.deepStrictEqual([address.address, address.port, address.addressType], [host, port, 4]);
    await worker.end();
    assert.deepStrictEqual(worker.events.slice(0, 2), ['online', 'listening']);
    assert.deepStrictEqual(worker.events.slice(2).sort(), ['disconnect', 'exit']);
    assert.deepStrictEqual(all.map(([, id]) => id), [1, 1, 1, 1, 1]);
    assert.deepStrictEqual(all.slice(0, 3).map(([name]) => name), ['fork', 'online', 'listening']);
  },

  async connections_go_to_workers() {
    const { workers, port } = await listenAll(3);
    await answeredBy({ port }, [1, 2, 3]);
    await endAll(workers);
  },

  async messages_go_both_ways() {
    const worker = new Worker();
    const received = [];
    cluster.on('message', ({ id }, message) => received.push([id, message]));
    const messages = ['Grüße', { a: [1, null, '\u{1f600}'] }, 'x'.repeat(100_000)];
    for (const message of messages) {
      worker.send(message);
      assert.deepStrictEqual(await worker.next(), message);
    }
    assert.deepStrictEqual(received, messages.map((message) => [1, message]));
    await worker.end();
  },

  // With advanced serialization.
  async values_go_both_ways() {
    const worker = new Worker();
    const circular = { when: new Date(0), map: new Map([[1, new Set([undefined])]]) };
    circular.self = circular;
    for (const message of [circular, Buffer.from('hi'), [2n ** 64n], { cmd: 'NODE_', fd: undefined }]) {
      worker.send(message);
      assert.deepStrictEqual(await worker.next(), message);
    }
    await worker.end();
  },

  leaves_by_itself: () => endsBy((worker) => worker.send('leave'), [0, null], true),
  kills_itself: () => endsBy((worker) => worker.send('kill'), [0, null], true),
  cuts_its_channel: () => endsBy((worker) => worker.send('cut'), [0, null], false),
  crashes: () => endsBy((worker) => worker.send('abort'), [null, 'SIGABRT'], false),
  is_killed: () => endsBy(({ worker }) => worker.process.kill('SIGKILL'), [null, 'SIGKILL'], false),
  is_told_to_leave: () => endsBy(({ worker }) => worker.disconnect(), [0, null], true),

  async leaves_when_its_connection_has_ended() {
    const worker = new Worker();
    const port = await worker.listen({ hold: true });
    const client = net.connect(port, host);
    await once(client, 'data');
    worker.send('leave');
    worker.send('still there');
    assert.strictEqual(await worker.next(), 'still there');
    await assert.rejects(once(net.connect(port, host), 'connect'), { code: 'ECONNREFUSED' });
    client.end();
    assert.deepStrictEqual(await worker.ended, [0, null]);
  },

  async all_are_told_to_leave() {
    const { workers } = await listenAll(3);
    await new Promise((resolve) => cluster.disconnect(resolve));
    assert.deepStrictEqual(await Promise.all(workers.map(({ ended }) => ended)), Array(3).fill([0, null]));
    assert.deepStrictEqual(cluster.workers, {});
  },

  async is_replaced() {
    const { workers: [first, second], port } = await listenAll(2);
    first.worker.process.kill('SIGKILL');
    await first.ended;
    const third = new Worker();
    assert.strictEqual(await third.listen(), port);
    await answeredBy({ port }, [2, 3]);
    await endAll([second, third]);
  },

  async datagrams_are_shared() {
    const workers = [new Worker(), new Worker()];
    for (const worker of workers) worker.send({ bind: { host, port: 0 } });
    const [{ listening: port }, second] = await Promise.all(workers.map((worker) => worker.next()));
    assert.deepStrictEqual(second, { listening: port });
    assert.match(await datagramAnswerAt(port), /^[12]$/);
    await endAll(workers);
  },

  async datagram_socket_bound_by_sending_is_its_own() {
    const server = dgram.createSocket('udp4').bind(0, host);
    const asked = [];
    server.on('message', (id, from) => asked.push([id, from]));
    await once(server, 'listening');
    const workers = [new Worker(), new Worker()];
    for (const worker of workers) worker.send({ ask: server.address().port });
    while (asked.length < 2) await once(server, 'message');
    for (const [id, { port }] of asked) server.send(`to ${id}`, port, host);
    assert.deepStrictEqual(await workers[0].next(), { answer: 'to 1' });
    assert.deepStrictEqual(await workers[1].next(), { answer: 'to 2' });
    assert.notStrictEqual(asked[0][1].port, asked[1][1].port);
    server.close();
    for (const worker of workers) worker.send('close');
    await endAll(workers);
  },

  async ports_are_reused() {
    for (const how of ['listen', 'bind']) {
      const workers = [new Worker(), new Worker()];
      const start = async (worker, port) => {
        worker.send({ [how]: { host, port, reuse_port: true } });
        return worker.next();
      };
      const { listening: port } = await start(workers[0], 0);
      assert.deepStrictEqual(await start(workers[1], port), { listening: port });
      const answer = await (how === 'bind' ? datagramAnswerAt(port) : answerAt({ port }));
      assert(workers.some(({ worker }) => String(worker.id) === answer), answer);
      for (const worker of workers) worker.send('close');
      await endAll(workers);
    }
  },

  async path_is_shared() {
    const at = newPath();
    const workers = [new Worker(), new Worker()];
    await Promise.all(workers.map((worker) => {
      worker.send({ listen: { path: at } });
      return once(worker.worker, 'listening');
    }));
    await answeredBy({ path: at }, [1, 2]);
    // The workers report a port, which is 0 for a path.
    for (const worker of workers) assert.deepStrictEqual(await worker.next(), { listening: 0 });
    await endAll(workers);
    assert(!fs.existsSync(at));
  },

  async abstract_name_is_shared() {
    const at = `\0tine-test-${process.pid}`;
    const workers = [new Worker(), new Worker()];
    for (const worker of workers) worker.send({ listen: { path: at } });
    for (const worker of workers) assert.deepStrictEqual(await worker.next(), { listening: 0 });
    await answeredBy({ path: at }, [1, 2]);
    await endAll(workers);
  },

  async servers_have_ports_of_their_own() {
    const { workers, port } = await listenAll(2);
    const others = [await workers[0].listen(), await workers[1].listen()];
    assert.strictEqual(others[0], others[1]);
    assert.notStrictEqual(others[0], port);
    for (const one of [port, others[0]]) await answeredBy({ port: one }, [1, 2]);
    await endAll(workers);
  },

  async listens_again() {
    const { workers: [worker], port } = await listenAll(1);
    for (let i = 0; i < 3; ++i) {
      worker.send('close');
      assert.strictEqual(await worker.listen({ port }), port);
      assert.strictEqual(await answerAt({ port }), '1');
    }
    await worker.end();
  },

  async address_is_in_use() {
    const taken = net.createServer().listen(0, host);
    await once(taken, 'listening');
    const worker = new Worker();
    worker.send({ listen: { host, port: taken.address().port } });
    assert.deepStrictEqual(await worker.next(), { error: 'Address already in use' });
    taken.close();
    await worker.end();
  },

  async full_worker_refuses() {
    const [full, other] = [new Worker(), new Worker()];
    const port = await full.listen({ most: 0 });
    assert.strictEqual(await other.listen(), port);
    // Without round robin, nobody could pass a connection to the other worker.
    const answers = await answersAt({ port }, 6);
    if (roundRobin) assert.deepStrictEqual(answers, { 2: 6 });
    else assert.deepStrictEqual(Object.keys(answers).filter((id) => id !== '' && id !== '2'), []);
    await endAll([full, other]);
  },

  // The worker runs under a shell, which prints its exit code.
  async primary_is_killed() {
    const primary = fork(__filename, [program, 'under a shell'], { execPath: node, silent: true });
    let output = '';
    primary.stdout.on('data', (text) => { output += text; });
    assert.deepStrictEqual(await once(primary, 'message'), ['listening', undefined]);
    primary.kill('SIGKILL');
    await once(primary, 'close');
    assert.strictEqual(output, 'code 0\n');
  },

  async 'under a shell'() {
    process.execPath = '/bin/sh';
    cluster.setupPrimary({ execArgv: ['-c', '"$0"; echo "code $?"'] });
    await new Worker().listen();
    process.send('listening');
  },
};

process.on('exit', () => {
  for (const { process: child } of Object.values(cluster.workers)) child.kill('SIGKILL');
});

// The timer also keeps the loop running. Between a worker's exit and its disconnect nothing else
// does, and Node would end with code 0 in the middle of an await.
const late = setTimeout(() => {
  console.error(`${scenario} is late`);
  process.exit(1);
}, 60_000);

process.execPath = program;
cluster.setupPrimary({ exec: program, args: [], execArgv: [], serialization });
scenarios[scenario]().then(() => clearTimeout(late));
