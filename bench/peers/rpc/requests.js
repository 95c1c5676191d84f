// The work of each parent in JavaScript that makes requests, whatever carries them.
'use strict';

const { Work } = require('../js/work.js');

class Requests {
  constructor(job) {
    this.work = new Work(JSON.parse(job));
  }

  // `start` gets the job, starts a child and returns its functions pid(), add(a, b) and end(). They may
  // return promises.
  run(start) {
    const { job } = this.work;
    this.work.forkBegins();
    this.children = Array.from({ length: job.children }, () => start(job));
    this.children.forEach((_, i) => this.greet(i));
  }

  async greet(i) {
    const { add, pid } = this.children[i];
    this.work.forked(await pid());
    check(0, await add(0, 0));
    this.react(i, this.work.received(i));
  }

  react(i, next) {
    switch (next) {
      case 'send':
        this.askMore(i);
        break;
      case 'sendToAll':
        this.children.forEach((_, j) => this.askMore(j));
        break;
      case 'end':
        this.end();
    }
  }

  askMore(i) {
    while (this.work.maySay(i)) this.ask(i);
  }

  async ask(i) {
    const number = this.work.nextNumber(i);
    check(number + 1, await this.children[i].add(number, 1));
    this.react(i, this.work.received(i));
  }

  async end() {
    await Promise.all(this.children.map((child) => child.end()));
    this.work.report();
  }
}

function check(expected, sum) {
  if (sum !== expected) throw new Error(`a sum is wrong: ${sum}`);
}

module.exports = { Requests };
