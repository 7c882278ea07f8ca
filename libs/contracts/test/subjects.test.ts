import { describe, expect, test } from 'vitest';
import {
  contracts,
  type EventContract,
  quotaLatest,
  STREAMS,
  type StreamDefinition,
  subjectFor,
  subjectPattern,
  subjectToken,
} from '../src/index.ts';

const streams: readonly StreamDefinition[] = Object.values(STREAMS);
const events = contracts.filter((contract) => contract.kind === 'event');
const requests = contracts.filter((contract) => contract.kind === 'request-reply');

/** Does a subject exist that both patterns match? `*` is one token, `>` is the rest. */
const overlap = (one: string, other: string): boolean => {
  const [a, b] = [one.split('.'), other.split('.')];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === undefined || b[i] === undefined) return false;
    if (a[i] === '>' || b[i] === '>') return true;
    if (a[i] !== b[i] && a[i] !== '*' && b[i] !== '*') return false;
  }
  return true;
};

/** Does `pattern` match every subject that `subject` matches? */
const covers = (pattern: string, subject: string): boolean => {
  const [wide, narrow] = [pattern.split('.'), subject.split('.')];
  for (const [i, token] of wide.entries()) {
    if (token === '>') return narrow.length > i;
    if (narrow[i] === undefined || narrow[i] === '>') return false;
    if (token !== '*' && token !== narrow[i]) return false;
  }
  return wide.length === narrow.length;
};

test('no two contracts share a subject', () => {
  for (const [i, one] of contracts.entries())
    for (const other of contracts.slice(i + 1))
      expect(overlap(subjectPattern(one), subjectPattern(other)), `${one.subject}, ${other.subject}`).toBe(
        false,
      );
});

test.each(requests)('$subject says domain, version and verb', ({ subject, timeoutMs, owner, askedBy }) => {
  expect(subject).toMatch(/^[a-z]+\.v[1-9]\d*\.[a-z]+(_[a-z]+)*$/);
  expect(timeoutMs).toBeGreaterThan(0);
  expect(askedBy.length).toBeGreaterThan(0);
  expect(askedBy).not.toContain(owner);
});

/** Subjects that hold a thing rather than tell an event: presence, state in a stream, dead letters. */
const NOUNS = ['config.heartbeat', 'config.snapshot.head', 'config.snapshot.chunk.{part}', 'quota.dead'];

test.each(events.filter(({ subject }) => !NOUNS.includes(subject)))(
  '$subject says what happened',
  ({ subject }) => {
    const words = subject.replace(/\.\{(tenant|id)\}$/, '').split('.');

    expect(words.at(-1)).toMatch(/^([a-z]+ed|\{action\})$/);
  },
);

test.each(events)('$subject has readers and at most one {token}, at its end', ({ subject, readers }) => {
  expect(subject).toMatch(/^[a-z]+(\.[a-z]+)*(\.\{[a-z]+\})?$/);
  expect(readers.length).toBeGreaterThan(0);
});

describe('streams', () => {
  test.each(Object.entries(STREAMS))('%s stands under its own name', (key, { name }) => {
    expect(name).toBe(key);
  });

  test('no two of their subjects overlap: the server would refuse the second stream', () => {
    const subjects = streams.flatMap(({ subjects: all }) => [...all]);
    for (const [i, one] of subjects.entries())
      for (const other of subjects.slice(i + 1)) expect(overlap(one, other), `${one}, ${other}`).toBe(false);
  });

  const stored = events.filter((event): event is EventContract & { stream: string } => 'stream' in event);

  test.each(stored)('$stream exists and its subjects cover $subject', (event) => {
    const stream = streams.find(({ name }) => name === event.stream);

    expect(stream?.subjects.some((pattern) => covers(pattern, subjectPattern(event)))).toBe(true);
  });

  test.each(contracts.filter((contract) => !('stream' in contract)))(
    '$subject is kept by no stream',
    (contract) => {
      // A stream on a request's subject would answer it first, with its acknowledgement.
      for (const { name, subjects } of streams)
        for (const pattern of subjects)
          expect(overlap(pattern, subjectPattern(contract)), `${name}: ${pattern}`).toBe(false);
    },
  );

  test('what a stream republishes enters no stream again and is a contract', () => {
    for (const { republish, subjects } of streams) {
      if (republish === undefined) continue;
      expect(subjects).toContain(republish.from);
      expect(events.some((event) => covers(republish.to, subjectPattern(event)))).toBe(true);
      for (const stream of streams)
        for (const pattern of stream.subjects) expect(overlap(pattern, republish.to), pattern).toBe(false);
    }
  });
});

describe('subjectToken', () => {
  const hostile = [
    '',
    ' ',
    'a b',
    'a.b',
    '.',
    '..',
    '*',
    '>',
    'a.>',
    '$SYS',
    '$JS.API.>',
    '~',
    'tenant\r\nPUB quota.updated 2\r\n{}',
    'tenant\n',
    '\ttenant',
    'tenant\u0000',
    'tenant\u2028',
    'Überfirma',
    '租户',
    '😀',
    '\ud800',
    '{tenant}',
    '$&',
    'x'.repeat(65),
    'x'.repeat(1000),
  ];

  test.each(hostile)('given %j, then it is one harmless token', (tenant) => {
    const token = subjectToken(tenant);

    expect(token).toMatch(/^~[A-Za-z0-9_-]{43}$/);
    expect(subjectFor(quotaLatest, tenant)).toBe(`quota.updated.${token}`);
  });

  test('different tenants never share a token', () => {
    const tenants = [...hostile, 'tenant-123', 'TENANT-123', 'x'.repeat(64)];

    expect(new Set(tenants.map(subjectToken)).size).toBe(tenants.length);
  });

  test.each(['tenant-123', 'A_b-9', 'x'.repeat(64)])('given %j, then it stays as it is', (tenant) => {
    expect(subjectToken(tenant)).toBe(tenant);
  });

  test('nobody can choose a tenant whose token is that of another', () => {
    expect(subjectToken(subjectToken('a b'))).not.toBe(subjectToken('a b'));
  });
});
