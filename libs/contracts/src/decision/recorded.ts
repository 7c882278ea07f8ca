import { z } from 'zod';
import { event } from '../contract.ts';
import { envelopeOf } from '../envelope.ts';
import { decisionRecord, exampleRecord } from './record.ts';

/** Most records that one message carries. */
export const MAX_RECORDS_PER_MESSAGE = 100;

/**
 * Every refusal and a sample of the rest, in batches. Told as far as there is room and nobody waits for it: what is
 * left out is counted by the edge.
 */
export const decisionRecorded = event({
  subject: 'decision.recorded',
  summary: 'What became of requests, and who decided it.',
  owner: 'edge-proxy',
  readers: ['config-registry', 'cli'],
  stream: 'DECISIONS',
  payload: envelopeOf(
    z.object({
      instance: z.string().min(1).max(128),
      records: z.array(decisionRecord).min(1).max(MAX_RECORDS_PER_MESSAGE),
    }),
  ),
  examples: [
    {
      name: 'one refusal',
      payload: {
        eventId: '0193a5c0-7e1a-7b7e-9d3c-2f6b8c1d0e12',
        occurredAt: '2026-01-02T03:04:05.200Z',
        tenantId: '*',
        platformId: 'sluice',
        payload: { instance: 'edge-proxy-4311', records: [exampleRecord] },
      },
    },
  ],
});
