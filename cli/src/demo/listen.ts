import { once } from 'node:events';
import type { Server } from 'node:http';

const HOST = '127.0.0.1'; // a demo never leaves the machine
const KEEP_ALIVE_MS = 75_000; // longer than the edge keeps an idle connection, so that the edge closes first

/** Opens the server on loopback and returns its port. */
export const listen = async (server: Server, port: number): Promise<number> => {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, HOST);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
};

/** Takes no new connections, closes the idle ones and waits for the answers under way. */
export const close = async (server: Server): Promise<void> => {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
};
