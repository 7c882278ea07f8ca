import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapePath, normalisePath } from '../src/normalise-path.ts';
import { parseHost } from '../src/parse-host.ts';
import { otherReadings } from '../src/path-readings.ts';

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 3);
const BOUNDS = { numRuns: 10_000_000, interruptAfterTimeLimit: SECONDS * 100, markInterruptAsFailure: false };

const pieces = fc.constantFrom(
  ...[
    '/',
    '//',
    '.',
    '..',
    '/../',
    '/./',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '%25',
    '%252e',
    '%3b',
    '%00',
    '%c0%ae',
  ],
  ...[
    '\\',
    ';',
    ';v=1',
    'a',
    'B',
    '%41',
    '%zz',
    '%',
    '~',
    ' ',
    '\t',
    '#',
    '?',
    '%20',
    '%c3%a9',
    '\u00ff',
    '\u0000',
  ],
);
const targets = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary-ascii', maxLength: 2 })), {
  maxLength: 24,
});
const target = targets.map((parts) => `/${parts.join('')}`);

test('given any target, then its path is in normal form, and stays the same when it is read again', () => {
  fc.assert(
    fc.property(target, (text) => {
      const read = normalisePath(text);
      if (read === undefined) return;
      expect(read.path).toMatch(/^\//);
      expect(read.path.split('/').slice(1, -1)).not.toContain('');
      for (const segment of read.path.split('/')) expect(['.', '..']).not.toContain(segment);
      const escaped = escapePath(read.path);
      expect(escaped).toMatch(/^[\x21-\x7e]+$/);
      expect(normalisePath(escaped)?.path).toBe(read.path);
    }),
    BOUNDS,
  );
});

test('given any path, then its readings are few, in normal form, and none of them itself', () => {
  fc.assert(
    fc.property(target, (text) => {
      const { path } = normalisePath(text) ?? { path: '/' };
      const readings = otherReadings(path) ?? [];
      expect(readings.length).toBeLessThanOrEqual(80);
      for (const reading of readings) {
        expect(reading.path).not.toBe(path);
        expect(reading.path.split('/')).not.toContain('..');
      }
    }),
    BOUNDS,
  );
});

test('given any Host, then it is refused or a name that cannot be read as another', () => {
  const host = fc.array(
    fc.oneof(
      fc.constantFrom('a', '.', ':', '80', '[', ']', '::1', '@', '/', '%', ',', ' '),
      fc.string({ maxLength: 2 }),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(host, (parts) => {
      const read = parseHost(parts.join(''));
      if (read === undefined) return;
      expect(read.host).toMatch(/^(?:[a-z0-9_~.-]+|\[[0-9a-f:.]+\])$/);
      expect(read.port ?? 0).toBeLessThanOrEqual(65_535);
    }),
    BOUNDS,
  );
});
