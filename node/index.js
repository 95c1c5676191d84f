// Answers requests in a child of tine, or of any parent that speaks JSON-RPC 2.0 over the channel of
// child_process.fork(). index.d.ts is the reference.
'use strict';

const invalidRequest = -32600;
const methodNotFound = -32601;
const internalError = -32603;
const requestCancelled = -32800;
const longestTimer = 2 ** 31 - 1;

class RequestError extends Error {
  constructor(code, message, data) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.data = data;
  }
}

const isId = (id) => typeof id === 'string' || typeof id === 'number';

// The requests that come over one channel.
class Responder {
  #channel;
  #methods;
  #running = new Map();  // by id: what stops the method

  constructor(methods, channel) {
    this.#methods = methods;
    this.#channel = channel;
    channel.on('message', (message, handle) => this.#take(message, handle));
    channel.once('disconnect', () => {
      for (const stop of this.#running.values()) stop.abort(new Error('the channel has ended'));
    });
  }

  #take(message, handle) {
    if (message === null || typeof message !== 'object') return;
    const { id, method, params, timeout } = message;
    if (method === '$/cancelRequest') {
      this.#running.get(params?.id)?.abort(new Error('the request was cancelled'));
    } else if (typeof method === 'string' && isId(id)) {
      this.#answer({ id, method, params, timeout, handle });
    }
  }

  async #answer({ id, method, params, timeout, handle }) {
    if (this.#running.has(id)) {
      return this.#fail(id, new RequestError(invalidRequest, 'the id is in use'));
    }
    const stop = new AbortController();
    this.#running.set(id, stop);
    const timer = this.#stopAfter(timeout, stop);
    const ended = () => {
      clearTimeout(timer);
      this.#running.delete(id);
    };
    const progress = (value) => this.#progress(id, value);
    try {
      const call = { method, handle, signal: stop.signal, progress };
      const result = await this.#method(method)(params, call);
      ended();
      this.#send({ id, result: result ?? null });
    } catch (error) {
      ended();
      this.#fail(id, error, stop.signal.aborted ? requestCancelled : internalError);
    }
  }

  #method(name) {
    if (Object.hasOwn(this.#methods, name)) return this.#methods[name];
    throw new RequestError(methodNotFound, `no method ${name}`);
  }

  // The parent does not wait for longer.
  #stopAfter(milliseconds, stop) {
    if (typeof milliseconds !== 'number' || milliseconds > longestTimer) return undefined;
    return setTimeout(() => stop.abort(new Error('the time is over')), milliseconds).unref();
  }

  #progress(id, value) {
    if (!this.#running.has(id)) return false;
    return this.#send({ method: '$/progress', params: { token: id, value } });
  }

  #fail(id, error, otherwise) {
    const code = Number.isInteger(error?.code) ? error.code : otherwise;
    this.#send({ id, error: { code, message: String(error?.message ?? error), data: error?.data } });
  }

  // An error means that the parent is gone: nobody waits for the answer.
  #send(message) {
    return this.#channel.connected && this.#channel.send({ jsonrpc: '2.0', ...message }, () => {});
  }
}

function answer(methods, channel = process) {
  if (channel.send === undefined) {
    throw new Error('answer(): this process was not forked, so it has no channel');
  }
  new Responder(methods, channel);
}

module.exports = { answer, RequestError };
