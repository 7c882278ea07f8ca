import { Agent, request } from 'node:http';

/**
 * A program: keeps connections of its own process busy with requests until its standard input ends, and prints the
 * first answer of the wanted status as one line of JSON.
 * Arguments: port, method, wanted status.
 */
const [port = '', method = 'GET', wanted = '503'] = process.argv.slice(2);
const CLIENTS = 32;
const BODY = 'x'.repeat(1000);
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
let isFlooding = true;
let isTold = false;

const ask = () =>
  new Promise<void>((done) => {
    const outgoing = request({ agent, host: '127.0.0.1', port, method, path: '/' }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', () => undefined);
      answer.once('close', () => {
        if (!isTold && `${answer.statusCode}` === wanted) {
          isTold = true;
          const body = Buffer.concat(chunks).toString();
          process.stdout.write(`${JSON.stringify({ headers: answer.headers, body })}\n`);
        }
        done();
      });
    });
    outgoing.once('error', () => done());
    outgoing.end(method === 'POST' ? BODY : undefined);
  });

process.stdin.resume().once('end', () => {
  isFlooding = false;
});
await Promise.all(
  Array.from({ length: CLIENTS }, async () => {
    while (isFlooding) await ask();
  }),
);
agent.destroy();
