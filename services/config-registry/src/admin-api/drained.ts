import type { IncomingMessage } from 'node:http';

/** What more of a body is read for the sake of its sender, in bytes, and for how long, in ms. */
const MAX_BYTES = 64 * 1024 * 1024;
const WITHIN_MS = 5000;

/**
 * Resolves when the rest of a body that nobody wants is read, or when that is enough. An answer to somebody who still
 * writes is lost with the connection: the kernel resets it, and their write fails before they read.
 */
export const drained = (request: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    if (request.readableEnded || request.destroyed) return resolve();
    let left = MAX_BYTES;
    const timer = setTimeout(resolve, WITHIN_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) done();
    });
    for (const over of ['end', 'close', 'error']) request.once(over, done);
    request.resume();
  });
