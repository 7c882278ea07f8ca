import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long a client may go on sending what nobody wants any more, in ms; nginx's lingering_timeout is 5 s. */
const LINGER_MS = 2000;

/**
 * A connection that is closed while its client still sends is reset, and the reset can overtake the answer: the
 * client of a 413 would see a broken connection instead. So we say that we are done, read on and drop what comes,
 * until the client is done too or the time is over (RFC 9112 section 9.6).
 */
export const lingerOnClose = (socket: Socket, lastRequest: () => IncomingMessage | undefined): void => {
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    const request = lastRequest();
    if (request === undefined || request.complete || socket.destroyed) {
      destroySoon();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.end();
    request.resume();
  };
};

/**
 * Says the last of a connection, and lets go of it soon: a client that takes no notice, and never closes for its part,
 * would keep its place for ever.
 */
export const endAndLetGo = (socket: Duplex, last?: string): void => {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  if (last === undefined) socket.end();
  else socket.end(last);
};

/** Longest that the rest of a request is read after its answer, in ms; nginx's lingering_time. */
const UNWANTED_MS = 30_000;

/** Ends the connection of a client that goes on and on sending a request which was answered. */
export const boundUnwantedBody = (request: IncomingMessage, limitMs = UNWANTED_MS): void => {
  // A stream of HTTP/2 ends by itself; its connection has others.
  if (request.httpVersionMajor !== 1 || request.complete || request.socket.destroyed) return;
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, limitMs).unref();
  request.once('close', () => clearTimeout(timer));
};
