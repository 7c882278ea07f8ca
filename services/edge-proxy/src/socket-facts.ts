import type { Socket } from 'node:net';
import { plainAddress } from './client-address.ts';

/** What stays the same for all requests on a connection; Node asks the system, or counts, for some of it. */
export interface SocketFacts {
  readonly scheme: 'http' | 'https';
  /** Address of the TCP peer, and port that it connected to. */
  readonly peer: string;
  readonly localPort: number;
  readonly remotePort: number;
  /** Number of the connection in this process. */
  readonly serial: number;
  /** Requests that came on it so far. */
  requests: number;
  /** The peer is believed when it says who the client is; undefined: nobody has looked yet. */
  isTrusted: boolean | undefined;
}

const FACTS = Symbol('facts');
let lastSerial = 0;

/** The facts of a connection, looked up with its first request. */
export const socketFacts = (socket: Socket & { [FACTS]?: SocketFacts }): SocketFacts => {
  const known = socket[FACTS];
  if (known !== undefined) return known;
  const facts: SocketFacts = {
    scheme: 'encrypted' in socket ? 'https' : 'http',
    peer: plainAddress(socket.remoteAddress),
    localPort: socket.localPort ?? 0,
    remotePort: socket.remotePort ?? 0,
    serial: ++lastSerial,
    requests: 0,
    isTrusted: undefined,
  };
  socket[FACTS] = facts;
  return facts;
};
