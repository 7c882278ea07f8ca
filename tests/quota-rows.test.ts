import { eventually } from '@sluice/testkit';
import { nanos } from 'nats';
import { expect, test } from 'vitest';
import { QuotaWorld } from './faults/quota-world.ts';
import { duplicatesRow } from './faults/row-duplicates.ts';
import { emptiedRow } from './faults/row-emptied.ts';
import { poisonRow } from './faults/row-poison.ts';

// The long form, with figures: npm run test:faults -- --quota Q3,Q4,Q5
const LONGEST_MS = 120_000;
const WATCHED_AT = '2025-01-01T00:00:00Z';
const WATCHED = { limit: 10, used: 1, period: 'monthly' };
const FLOW = { tenants: 40, perSecond: 200 };

test(
  'duplicates past the window of their id change nothing, poison is isolated, an emptied Redis is filled under load',
  async () => {
    await using world = await QuotaWorld.start();
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    const { jetstream } = world.outside;
    const { manager } = await jetstream.raw();
    await manager.streams.update('QUOTAS', { duplicate_window: nanos(100) });
    const body = JSON.stringify({
      eventId: 'watched',
      occurredAt: WATCHED_AT,
      tenantId: 'watched',
      payload: WATCHED,
    });
    const isKnown = async (msgId: string) =>
      (await jetstream.append('quota.updated', body, { msgId })).duplicate;
    let serial = 0;
    // Ids are forgotten in their order: when this one is, all before it are.
    const pastTheWindow = async () => {
      const msgId = `watched-${serial++}`;
      await isKnown(msgId);
      await eventually(async () => !(await isKnown(msgId)));
    };
    await pastTheWindow();

    const duplicates = await duplicatesRow(world, { tenants: 4, waves: 2, pastTheWindow, say });
    const emptied = await emptiedRow(world, { ...FLOW, say });
    const poison = await poisonRow(world, { ...FLOW, seconds: 1, say });

    expect({ duplicates, emptied, poison }, said.join('\n')).toEqual({
      duplicates: [],
      emptied: [],
      poison: [],
    });
  },
  LONGEST_MS,
);
