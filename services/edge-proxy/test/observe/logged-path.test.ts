import { expect, test } from 'vitest';
import { loggedPath } from '../../src/observe/logged-path.ts';

test.each([
  ['/a/b@c', '/a/b@c'],
  ['/a?jwt=s3cret', '/a'],
  ['/a#access_token=s3cret', '/a'],
  ['/a#b?c=s3cret', '/a'],
  ['http://h.test/a@b?c', 'http://h.test/a@b'],
  ['http://someone:s3cret@h.test/a', 'h.test/a'],
  ['http://s3cret@h.test?a', 'h.test'],
  ['HTTPS://a:s3cret@@h.test/', 'h.test/'],
  ['http:/someone:s3cret@h.test/a', 'h.test/a'],
  ['http:\\\\someone:s3cret@h.test/a', 'h.test/a'],
  ['someone:s3cret@h.test:443', 'h.test:443'],
  ['*', '*'],
  ['', ''],
])('given the target %j, then logs have the path %j', (target, path) => {
  expect(loggedPath(target)).toBe(path);
});
