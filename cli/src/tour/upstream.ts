import { createServer, type Server } from 'node:http';

/** What a service looks like behind a port that was mistyped. */
export const createBrokenUpstream = (): Server =>
  createServer((request, response) => {
    request.resume();
    response.writeHead(500, { 'content-type': 'application/json' }).end('{"from":"the wrong port"}\n');
  });

/** A service that answers after some milliseconds, and breaks connections off while it is told to fail. */
export const createMoodyUpstream = (): { server: Server; mood: { isFailing: boolean } } => {
  const mood = { isFailing: false };
  const server = createServer((request, response) => {
    if (mood.isFailing) {
      request.socket.destroy();
      return;
    }
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"from":"the demo"}\n');
  });
  return { server, mood };
};
