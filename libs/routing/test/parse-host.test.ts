import { expect, test } from 'vitest';
import { parseHost } from '../src/parse-host.ts';

test.each([
  ['example.com', 'example.com', undefined],
  ['Example.COM:8080', 'example.com', 8080],
  ['my_host-1.test', 'my_host-1.test', undefined],
  ['example.com.', 'example.com', undefined],
  ['example.com.:80', 'example.com', 80],
  ['h:', 'h', undefined],
  ['h:0', 'h', 0],
  ['127.0.0.1:65535', '127.0.0.1', 65_535],
  ['[::1]', '[::1]', undefined],
  ['[FE80::1]:443', '[fe80::1]', 443],
])('Host %s is read as %s, port %s', (header, host, port) => {
  expect(parseHost(header)).toEqual({ host, port });
});

test.each([
  '',
  ' ',
  'a, b',
  'a,b',
  'a b',
  'u@h',
  'h:x',
  'h:80:80',
  'h:65536',
  'h:-1',
  'h:080808',
  ':80',
  '[::1',
  '[::1]x',
  '[::1]:x',
  '[]',
  '[fe80::1%25eth0]',
  '::1',
  '.a',
  'a..b',
  'a/b',
  'a\u0000b',
  'é.test',
  `${'a.'.repeat(128)}com`,
])('given the Host %j, when it is read, then it is refused', (header) => {
  expect(parseHost(header)).toBeUndefined();
});
