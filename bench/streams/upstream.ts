/**
 * A process that streams events: `node upstream.ts PORT`. Paths that end in /sse get an event at once and then one
 * every 100 ms, each with its number in the stream and the time it was written; /open tells how many streams are
 * open; everything else gets a line of JSON.
 */
import { createServer, type ServerResponse } from 'node:http';

const EVERY_MS = 100;
/** Not all streams at once: a tenth of them every 10 ms. */
const SLICES = 10;
const PADDING = 'x'.repeat(48);

interface Stream {
  readonly response: ServerResponse;
  number: number;
}

const slices = Array.from({ length: SLICES }, () => new Set<Stream>());
let opened = 0;
let turn = 0;

/** The clock of the machine, the same in every process; about 111 bytes, as a token of a model. */
const write = (stream: Stream): void => {
  const at = process.hrtime.bigint() / 1000n;
  stream.response.write(`data: {"n":${stream.number},"at":${at},"text":"${PADDING}"}\n\n`);
  stream.number += 1;
};

const open = (response: ServerResponse): void => {
  const slice = slices[opened++ % SLICES];
  const stream = { response, number: 0 };
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  write(stream);
  slice?.add(stream);
  response.once('close', () => slice?.delete(stream));
};

const server = createServer((request, response) => {
  const path = request.url?.split('?')[0] ?? '';
  if (path.endsWith('/sse')) open(response);
  else {
    const count = slices.reduce((all, { size }) => all + size, 0);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ open: count }));
  }
});
setInterval(() => {
  for (const stream of slices[turn++ % SLICES] ?? []) write(stream);
}, EVERY_MS / SLICES);
server.listen(Number(process.argv[2]), '127.0.0.1');
