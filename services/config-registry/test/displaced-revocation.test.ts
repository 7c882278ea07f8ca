import { revocationSubject } from '@sluice/config-log';
import { configCommitted } from '@sluice/contracts';
import { eventually, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { runRegistry } from './registry-world.ts';

const revocation = { by: 'subject' as const, value: 'user-1', notBeforeMs: 0 };
const other = { by: 'subject' as const, value: 'user-2', notBeforeMs: 0 };

test.each(['the description of a stream', 'a commit', 'another revocation'])(
  'given somebody who may only read has %s put in the place of a revocation, then it is put back',
  async (what) => {
    await using nats = await startNats();
    await using registry = await runRegistry(nats.url);
    for (const { by, value } of [revocation, other])
      await registry.send('POST', '/sluice/revocations', { by, value });
    await registry.postYaml('_format_version: "3.0"\nservices: [{name: a, host: a.test}]');
    const { connection } = await registry.jetstream.raw();
    const subject = revocationSubject(revocation);
    const before = await registry.jetstream.readLast('REVOCATIONS', subject);

    if (what === 'the description of a stream')
      connection.publish('$JS.API.STREAM.INFO.CONFIG', '', { reply: subject });
    else {
      const [stream, from] =
        what === 'a commit' ? ['CONFIG', configCommitted.subject] : ['REVOCATIONS', revocationSubject(other)];
      // The stored message asks for the sequence it was written after; the server refuses it elsewhere.
      const copy = await registry.jetstream.readLast(stream, from);
      connection.publish(subject, copy?.data);
    }

    await eventually(async () => {
      const last = await registry.jetstream.readLast('REVOCATIONS', subject);
      expect(last?.seq).toBeGreaterThan((before?.seq ?? 0) + 1);
      expect(JSON.parse(Buffer.from(last?.data ?? []).toString()).payload.value).toBe('user-1');
    });
  },
);
