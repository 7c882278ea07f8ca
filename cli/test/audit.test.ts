import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { auditHash, auditRecorded, FIRST_PREV_HASH, STREAMS } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { freePort, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../src/program.ts';

const COUNT = 30;
let nats: ServerProcess;
const folder = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
let head = '';

/** A chain as config-registry writes it. */
const storeChain = async (jetstream: JetStream): Promise<void> => {
  await jetstream.ensureStream(STREAMS.AUDIT);
  let before = FIRST_PREV_HASH;
  const [example] = auditRecorded.examples;
  for (let sequence = 1; sequence <= COUNT; sequence++) {
    const { hash: _, ...payload } = example?.payload.payload ?? { hash: '' };
    const unsigned = { ...example?.payload, payload: { ...payload, sequence, prevHash: before } };
    before = auditHash(unsigned);
    const record = { ...unsigned, payload: { ...unsigned.payload, hash: before } };
    await jetstream.append(auditRecorded.subject, JSON.stringify(record));
  }
  head = `${COUNT}:${before}`;
};

beforeAll(async () => {
  nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  await storeChain(new JetStream(bus));
  await bus.close();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await nats[Symbol.asyncDispose]();
});

const audit = async (...args: string[]) => {
  const said = { out: '', err: '' };
  const collect = (stream: keyof typeof said) =>
    new Writable({
      write(chunk, _encoding, done) {
        said[stream] += String(chunk);
        done();
      },
    });
  const io = { env: {}, cwd: folder, root: folder, readInput: () => Promise.resolve('') };
  const code = await runCli(['audit', ...args], { ...io, out: collect('out'), err: collect('err') });
  return { code, ...said };
};

test('given a whole chain, when verified, then it says so with the newest record, and exits with 0', async () => {
  const { code, out } = await audit('verify', '--nats', nats.url);

  expect(code).toBe(0);
  expect(out).toContain(`${COUNT} records`);
  expect(out).toContain(head);
});

test('given an export, then it verifies; edited, shortened or begun later it does not', async () => {
  const file = join(folder, 'audit.ndjson');
  await audit('export', '--nats', nats.url, '--out', file);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const verifyOf = async (changed: readonly string[], ...more: string[]) => {
    writeFileSync(file, changed.join('\n'));
    const { code, out } = await audit('verify', '--json', '--file', file, ...more);
    return { code, said: JSON.parse(out) as { faults: { sequence: number; problem: string }[] } };
  };

  expect(lines).toHaveLength(COUNT);
  expect(await verifyOf(lines, '--expect', head)).toMatchObject({
    code: 0,
    said: { ok: true, records: COUNT },
  });
  const edited = lines.with(6, (lines[6] ?? '').replace('more patience', 'less patience'));
  expect(await verifyOf(edited)).toMatchObject({
    code: 1,
    said: { ok: false, faults: [{ sequence: 7, problem: expect.stringContaining('edited') }] },
  });
  expect(await verifyOf(lines.slice(3))).toMatchObject({ code: 1 });
  expect(await verifyOf(lines.slice(3), '--begins-at', '4')).toMatchObject({ code: 0 });
  expect(await verifyOf(lines.slice(0, -1))).toMatchObject({ code: 0 }); // what a chain alone cannot tell
  expect(await verifyOf(lines.slice(0, -1), '--expect', head)).toMatchObject({
    code: 1,
    said: { ok: false },
  });
});

test('when listed, then the newest are shown, the newest last', async () => {
  const { code, out } = await audit('list', '--nats', nats.url, '--limit', '2');

  expect(code).toBe(0);
  const lines = out.trim().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual([`${COUNT - 1}`, `${COUNT}`]);
  expect(lines[1]).toContain('ops@example.test@127.0.0.1');
  expect(lines[1]).toContain('updated services/');
});

test('given the bus is away, no gateway runs or the file is not there, then the environment is at fault: 3', async () => {
  const nowhere = await audit('verify', '--nats', `nats://127.0.0.1:${await freePort()}`);
  expect(nowhere).toMatchObject({ code: 3, err: expect.stringContaining('does not answer') });
  expect(await audit('list')).toMatchObject({ code: 3, err: expect.stringContaining('npm start') });
  expect(await audit('verify', '--file', 'absent.ndjson')).toMatchObject({ code: 3 });
});
