import type { Socket } from 'node:net';

const condemned = new WeakSet<Socket>();

/**
 * Marks a connection on which something could not be read for certain. Node parses ahead: a request that stands
 * behind a malformed one is read, and would be forwarded, although somebody may have meant it as a body.
 */
export const condemn = (socket: Socket): void => {
  condemned.add(socket);
};

/** What comes by this connection is not looked at any more. */
export const isCondemned = (socket: Socket): boolean => condemned.has(socket);
