import { expect, test } from 'vitest';
import { xxHash32 } from '../../src/upstream/balancing/xxhash32.ts';

test.each([
  ['', 0x02_cc_5d_05],
  ['a', 0x55_0d_74_56],
  ['abc', 0x32_d1_53_ff],
  ['Nobody inspects the spammish repetition', 0xe2_29_3b_2f],
])('xxHash32 of %j is the published value', (text, hash) => {
  expect(xxHash32(text)).toBe(hash);
});
