// Requests that a parent makes of its Node child, over the channel of child_process.fork(). The parent
// is a C++ program with tine::Rpc, or any other that speaks JSON-RPC 2.0.
//
//   const { answer } = require('tine-child');
//
//   answer({ add: ({ a, b }) => a + b });

import type { ChildProcess, SendHandle } from 'node:child_process';

/** The request that a method answers. */
export interface Call {
  readonly method: string;

  /** What came beside the request. */
  readonly handle?: SendHandle;

  /**
   * Aborted when the parent cancels the request, when its deadline is over, and when the channel ends.
   * A method that throws then fails with -32800. One that returns all the same has its result sent.
   */
  readonly signal: AbortSignal;

  /**
   * Reports a value while the method works. False means: send fewer of them, or the request has been
   * answered, or the channel has ended.
   */
  progress(value: unknown): boolean;
}

/**
 * A method by its name. What it returns, or what its promise resolves to, is the result; `undefined` is
 * null. What it throws is the error: an integer `code`, or -32603, its `message`, and its `data`.
 */
export type Methods = Record<string, (params: any, call: Call) => unknown>;

/**
 * Answers requests from now on. Other messages, and notifications, are left to the program's own
 * "message" listeners, which get requests too. Keeps the process running as such a listener does, until
 * the parent disconnects.
 *
 * @param methods They may be added and removed later.
 * @param channel Where requests come from: the parent, or a child of this process.
 */
export function answer(methods: Methods, channel?: NodeJS.Process | ChildProcess): void;

/** An error with a code and a value of one's own. JSON-RPC reserves the codes -32768 to -32000. */
export class RequestError extends Error {
  constructor(code: number, message: string, data?: unknown);
  readonly code: number;
  readonly data: unknown;
}
