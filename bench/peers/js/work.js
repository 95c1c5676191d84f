// The work of each parent in JavaScript, as work.hpp says.
'use strict';

const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { nowUs } = require('./clock.js');

// All numbers have the same number of digits, so all messages have the same size.
const FIRST_NUMBER = 100000000;

// Makes the message of work.json anew, as a user writes it.
function built(number) {
  return { n: number, type: 'update', source: 'sensor-1', value: 21.375, valid: true };
}

// Returns numbers of six digits, as many as fill `bytes` of JSON text.
function arrayOfNumbers(bytes) {
  return Array.from({ length: Math.floor(bytes / 7) }, (_, i) => 100000 + ((i * 7919) % 900000));
}

// Returns the resident memory of a process in megabytes.
function residentMb(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (Number(/^Rss: *(\d+)/m.exec(rollup)[1]) * 1024) / 1e6;
}

function pin(pid, core) {
  execFileSync('taskset', ['-acp', core, pid].map(String), { stdio: 'ignore' });
}

function percentile(sorted, part) {
  return sorted[Math.floor(part * (sorted.length - 1))];
}

// Returns how many answers are not counted because parent and child are not warm yet, as in work.hpp.
function unsteady(answers) {
  return Math.min(100, Math.floor(answers / 2));
}

class Work {
  constructor(job) {
    this.job = { children: 1, sender: 'as_is', messages: [], ...job };
    if (job.array) this.job.messages = [arrayOfNumbers(job.array)];
    if (job.payload) this.job.messages = [Buffer.alloc(job.payload, 'x')];
    if (job.sender === 'built' && JSON.stringify(built(FIRST_NUMBER)) !== JSON.stringify(job.messages[0])) {
      throw new Error('what is built is not what work.json says');
    }
    this.talks = Array.from({ length: this.job.children }, () => ({ sent: 0, answered: 0 }));
    this.pids = [];
    this.open = false;
    this.greeted = 0;
    this.timed = 0;
    this.latencies = []; // microseconds, as in work.hpp
    this.forkMs = 0;
    this.ballast = Buffer.alloc(job.ballast ?? 0, 1);
    this.lifeBegan = performance.now();
  }

  greeting() {
    return 'Hello';
  }

  forkBegins() {
    this.forkBegan = performance.now();
  }

  forked(pid) {
    this.forkMs += performance.now() - this.forkBegan;
    this.pids.push(pid);
  }

  maySay(child) {
    const { sent, answered } = this.talks[child];
    const { count, window } = this.job;
    return this.open && sent < count && (window === 0 || sent - answered < window);
  }

  next(child) {
    const number = this.nextNumber(child);
    const { sender, messages } = this.job;
    if (sender === 'built') return built(number);
    if (sender === 'kept') messages[0].n = number;
    return messages[(number - FIRST_NUMBER) % messages.length];
  }

  // Counts a message that is sent to a child without next(), and returns its number.
  nextNumber(child) {
    if (this.job.window === 1) this.sentAt = performance.now();
    return FIRST_NUMBER + this.talks[child].sent++;
  }

  // Returns 'wait', 'send', 'sendToAll' or 'end', as in work.hpp.
  received(child, answer) {
    if (!this.open) return ++this.greeted < this.job.children ? 'wait' : this.begin();
    if (this.job.timed && ++this.timed > unsteady(this.job.count)) {
      this.latencies.push(nowUs() - answer.sent_us);
    }
    ++this.talks[child].answered;
    if (this.job.window === 1) this.latencies.push((performance.now() - this.sentAt) * 1e3);
    if (--this.awaited > 0) return 'send';
    this.seconds = (performance.now() - this.began) / 1e3;
    return 'end';
  }

  begin() {
    const { children, child_core: core, count, window } = this.job;
    this.idleChildMb = residentMb(this.pids[0]);
    if (core !== undefined) this.pids.forEach((pid) => pin(pid, core));
    this.awaited = children * (window === 0 ? Math.min(count, 1) : count);
    this.open = true;
    this.began = performance.now();
    return this.awaited === 0 ? 'end' : 'sendToAll';
  }

  report() {
    const { children, count, messages, payload } = this.job;
    const figures = {
      fork_ms: this.forkMs,
      life_ms: performance.now() - this.lifeBegan,
      idle_child_mb: this.idleChildMb,
      messages: children * count,
      seconds: this.seconds ?? 0,
    };
    if (this.latencies.length > 0) {
      const sorted = Float64Array.from(this.latencies).sort();
      figures.p50_us = percentile(sorted, 0.5);
      figures.p99_us = percentile(sorted, 0.99);
    }
    if (payload) figures.message_bytes = payload;
    else if (messages.length > 0) figures.message_bytes = Buffer.byteLength(JSON.stringify(messages[0]));
    console.log(JSON.stringify(figures));
  }
}

module.exports = { Work };
