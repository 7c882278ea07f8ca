import { expect, test } from 'vitest';
import { warningIn } from '../../src/up/log-tail.ts';

test.each([
  [
    '{"level":"warn","service":"auth","msg":"bus disconnected","tries":2}',
    'warn',
    'bus disconnected (tries=2)',
  ],
  ['{"level":50,"err":{"message":"refused"},"msg":"push failed"}', 'error', 'push failed: refused'],
  ['[1] 2026/11/22 21:00:00.000000 [WRN] JetStream storage is low', 'warn', 'JetStream storage is low'],
  ['[1] 2026/11/22 21:00:00.000000 [FTL] Address already in use', 'error', 'Address already in use'],
])('%s is worth a line', (line, level, text) => {
  expect(warningIn(line)).toEqual({ level, text });
});

test.each([
  '{"level":"info","msg":"the word \\"level\\":\\"error\\" in a message"}',
  '{"level":30,"msg":"ready"}',
  '{"level":"warn","msg":"cut in the mid',
  '[1] 2026/11/22 21:00:00.000000 [INF] Server is ready',
  '[1] 2026/11/22 21:00:00.000000 [WRN] Plaintext passwords detected, use nkeys or bcrypt',
  '',
])('%s is not', (line) => {
  expect(warningIn(line)).toBeUndefined();
});
