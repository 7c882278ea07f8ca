import { type DecisionRecord, decisionRecord, decisionRecorded, STREAMS } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import type { Note } from '../src/audit/audit-log.ts';
import { auditRefusals, notesOf, refusalGroups } from '../src/audit/policy-refusals.ts';

const [example] = decisionRecorded.examples[0]?.payload.payload.records ?? [];
const refusedBy = (plugin: string, code: string, over: Partial<DecisionRecord> = {}): DecisionRecord =>
  decisionRecord.parse({
    ...example,
    refusal: { code, message: 'no' },
    plugins: [
      { plugin: 'jwt', id: 'p-jwt', verdict: 'passed' },
      { plugin, id: `p-${plugin}`, verdict: 'refused' },
    ],
    ...over,
  });
const AT = Date.parse('2026-01-02T03:04:05.000Z');

test('given refusals by policies, then they are summed up by policy, route and tenant, and everyday ones are left out', () => {
  const groups = refusalGroups([
    refusedBy('prompt-guard', 'GW_PROMPT_REFUSED', { at: AT, requestId: 'one', tenant: 'acme' }),
    refusedBy('rate-limiting', 'GW_RATE_LIMITED'),
    refusedBy('jwt', 'GW_UNAUTHENTICATED'),
    refusedBy('prompt-guard', 'GW_PROMPT_REFUSED', { at: AT + 1000, requestId: 'two', tenant: 'acme' }),
    refusedBy('prompt-guard', 'GW_PROMPT_REFUSED', { tenant: 'other' }),
    refusedBy('tenant-binding', 'GW_TENANT_MISMATCH', { tenant: 'acme' }),
    decisionRecord.parse({ ...example, refusal: undefined, outcome: 'forwarded' }),
  ]);
  expect(groups.map(({ plugin, tenant, count }) => [plugin, tenant, count])).toEqual([
    ['prompt-guard', 'acme', 2],
    ['prompt-guard', 'other', 1],
    ['tenant-binding', 'acme', 1],
  ]);
  expect(groups[0]).toEqual({
    ...{
      plugin: 'prompt-guard',
      policy: 'p-prompt-guard',
      code: 'GW_PROMPT_REFUSED',
      route: 'agent-workflows',
    },
    ...{ tenant: 'acme', count: 2, requestIds: ['one', 'two'] },
    ...{ firstAt: '2026-01-02T03:04:05.000Z', lastAt: '2026-01-02T03:04:06.000Z' },
  });
});

test('given a flood of tenants, then fifty records tell of all of it', () => {
  const flood = Array.from({ length: 5000 }, (_, n) =>
    refusedBy('acl', 'GW_FORBIDDEN', { tenant: `t-${n % 1000}`, requestId: `r-${n}` }),
  );
  const notes = notesOf(refusalGroups(flood), 7, false);
  expect(notes).toHaveLength(50);
  const counts = notes.map(({ entry }) => Number(entry.details?.count));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5000);
  expect(notes.at(-1)?.entry.details).toEqual({ groupsLeftOut: 951, count: 951 * 5 });
  expect(new Set(notes.map(({ eventId }) => eventId)).size).toBe(50);
});

test('given decision records in the stream, then the audit hears of each refusal by a policy, and again when it could not', async () => {
  await using nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  await bus.connection;
  const jetstream = new JetStream(bus);
  await jetstream.ensureStream(STREAMS.DECISIONS);
  const notes: Note[] = [];
  let failures = 1;
  const append = async (note: Note): Promise<void> => {
    if (failures-- > 0) throw new Error('the stream did not answer');
    notes.push(note);
  };
  const refusals = auditRefusals({ jetstream, audit: { append }, logger: silentLogger() });

  const tell = (records: DecisionRecord[], eventId: string) =>
    jetstream.append(
      decisionRecorded.subject,
      JSON.stringify({
        ...{ eventId, occurredAt: new Date().toISOString(), tenantId: '*', platformId: 'sluice' },
        payload: { instance: 'edge-0', records },
      }),
    );
  await jetstream.append(decisionRecorded.subject, 'no JSON');
  await tell([refusedBy('acl', 'GW_FORBIDDEN'), refusedBy('jwt', 'GW_UNAUTHENTICATED')], 'a');
  await eventually(() => expect(notes).toHaveLength(1));
  await tell([refusedBy('request-validation', 'GW_REQUEST_INVALID')], 'b');
  await eventually(() => expect(notes).toHaveLength(2));

  expect(
    notes.map(({ actor, entry }) => [actor, entry.action, entry.outcome, entry.details?.plugin]),
  ).toEqual([
    ['edge-proxy', 'policy.refused', 'refused', 'acl'],
    ['edge-proxy', 'policy.refused', 'refused', 'request-validation'],
  ]);
  expect(notes[0]?.isRepeated).toBe(true);
  await refusals.stop();
  await bus.close();
});
