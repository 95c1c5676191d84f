// A child of the soak that runs in Node. Its arguments: LEDGER SLOT SEED ENDING STEPS. It does the
// same as child.cpp, actor.hpp and plan.cpp, as far as Node can.
'use strict';
const fs = require('fs');

class Random {
  constructor(seed) {
    this.state = seed % 2147483646 + 1;
    for (let i = 0; i < 10; ++i) this.below(1);
  }
  below(bound) {
    this.state = this.state * 48271 % 2147483647;
    return this.state % bound;
  }
}

const period = 65521;
const printable = (() => {
  const random = new Random(0);
  return Array.from({length: period}, () => String.fromCharCode(32 + random.below(95))).join('');
})();

class Messages {
  constructor(seed) {
    this.random = new Random(seed);
    this.number = 0;
    this.bytes = 0;
  }

  next() {
    const order = 1 + this.random.below(this.random.below(32) === 0 ? 23 : 11);
    const size = Math.min(2 ** order + this.random.below(2 ** order), 10000000);
    const number = this.number++;
    this.bytes += size;
    if (size < 40) return size < 10 ? number % 10 : number;
    const begin = this.random.below(period);
    const rest = Math.max(0, size - 40 - (period - begin));
    const text = printable.slice(begin) + printable.repeat(Math.ceil(rest / period));
    return {number, text: '\u00e9\n"\\\u{1F600}' + text.slice(0, size - 40)};
  }
}

// The layout of an Account in ledger.hpp.
const members = ['accepted', 'called', 'written', 'received', 'bytes', 'actions'];
const complaintAt = 48;
const accountSize = 128;

class Account {
  constructor(ledger, slot) {
    this.ledger = ledger;
    this.begin = slot * accountSize;
    this.complained = false;
    for (const member of members) this[member] = 0;
  }
  put(member, value) {
    this[member] = value;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    fs.writeSync(this.ledger, bytes, 0, 8, this.begin + members.indexOf(member) * 8);
  }
  complain(what) {
    if (this.complained) return;
    this.complained = true;
    fs.writeSync(this.ledger, what.slice(0, 79), this.begin + complaintAt);
  }
}

const [ledger, slot, seed] = process.argv.slice(2, 5).map(Number);
const ending = process.argv[5];
let steps = ['disconnect', 'kill'].includes(ending) ? Infinity : Number(process.argv[6]);
const mine = new Account(ledger, slot);
const sent = new Messages(seed + 1);
const expected = new Messages(seed);
const decisions = new Random(seed + 3);
let toSend = 0;
let heedless = false;
let held = false;
let disconnects = 0;

const same = (one, other) =>
  one === other || (one.number === other.number && one.text === other.text);

process.on('message', (message) => {
  if (mine.complained) return;
  if (!same(expected.next(), message)) return mine.complain('got what is not the next message');
  mine.put('bytes', expected.bytes);
  mine.put('received', mine.received + 1);
});
process.on('disconnect', () => ++disconnects);

// Without "drain", which Node lacks, the callback of the last message goes on.
function send() {
  mine.put('accepted', mine.accepted + 1);
  return process.send(sent.next(), (error) => {
    mine.put('called', mine.called + 1);
    if (!error) mine.put('written', mine.written + 1);
    if (mine.called === mine.accepted && held) {
      held = false;
      setImmediate(act);
    }
  });
}

function sendMore() {
  while (toSend > 0 && process.connected) {
    --toSend;
    held = !send() && !heedless;
    if (held) return;
  }
  setTimeout(act, 1);
}

function act() {
  if (!process.connected) return;
  if (toSend > 0) return sendMore();
  if (steps-- === 0) return end();
  mine.put('actions', mine.actions + 1);
  if (decisions.below(12) < 3) return setTimeout(act, 1 + decisions.below(10));
  heedless = decisions.below(4) === 0;
  toSend = 1 + decisions.below(heedless ? 20 : 200);
  sendMore();
}

// Does not call disconnect(), because it does not complete if half a line has been received: Node
// goes on reading then. Instead, the child exits when all messages are written.
function end() {
  if (ending === 'child_exits') process.exit(22);
  if (ending === 'child_aborts') process.exit(21);
  if (ending === 'child_runs_dry') return process.removeAllListeners();
  if (mine.called === mine.accepted) process.exit(0);
  setTimeout(end, 1);
}

process.on('exit', () => {
  if (disconnects > 1) mine.complain('"disconnect" more than once');
});
act();
