/** A thread that doubles numbers over the bus, some time after it was asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { connect } from 'nats';

interface Question {
  readonly checks: readonly { readonly id: number; readonly n: number }[];
}

const { url, subject, delayMs } = workerData as { url: string; subject: string; delayMs: number };
const connection = await connect({ servers: url });
const questions = connection.subscribe(subject);
await connection.flush();
parentPort?.postMessage('listening');
for await (const question of questions) {
  const { checks } = question.json<Question>();
  await sleep(delayMs);
  question.respond(
    JSON.stringify({ v: 1, results: checks.map(({ id, n }) => ({ id, outcome: 'allow', doubled: 2 * n })) }),
  );
}
