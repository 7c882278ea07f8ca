import { expect, test } from 'vitest';
import { botDetection } from '../src/bot-detection.ts';
import { testExchange } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const statusFor = (agent: string | string[], config: object = {}) => {
  const headers = agent === '' ? {} : { 'User-Agent': agent };
  const step = refusalOf(instance(botDetection, config).access(testExchange({ headers })));
  return (step as { status?: number } | undefined)?.status;
};

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0';
test.each([
  FIREFOX,
  'Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG) AppleWebKit/537.36 Chrome/139.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Linux; Android 13; Cubot X30) AppleWebKit/537.36 Chrome/139.0 Mobile Safari/537.36',
  'curl/8.5.0',
  'python-requests/2.32',
  'node',
  '',
])('%s may call', (agent) => {
  expect(statusFor(agent)).toBeUndefined();
});

test.each([
  'Googlebot/2.1 (+http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'facebookexternalhit/1.1',
  'Mozilla/5.0 (compatible; Baiduspider/2.0)',
  'Scrapy/2.11',
  'some crawler',
  'axios/1.7.2',
  'okhttp/4.12.0',
  'Go-http-client/1.1',
  'Apache-HttpClient/4.5',
  'Python-urllib/3.12',
  'reqwest/0.12',
  'Boto3/1.34',
  'aws-cli/2.15',
])('%s is a bot', (agent) => {
  expect(statusFor(agent)).toBe(403);
});

test('allow stands over the list and over deny; deny adds to the list', () => {
  expect(statusFor('axios/1.7.2', { allow: ['^axios/'] })).toBeUndefined();
  expect(statusFor(FIREFOX, { deny: ['(?i)firefox'] })).toBe(403);
  expect(statusFor(FIREFOX, { allow: ['Gecko'], deny: ['Firefox'] })).toBeUndefined();
});

test('two User-Agent headers are one too many', () => {
  expect(statusFor(['a', 'b'])).toBe(400);
});

test('a pattern that could run for ever is refused', () => {
  expect(problemsOf(botDetection, { deny: ['ok', '(?=x)y'] })['deny.1']).toContain('look-around');
  expect(problemsOf(botDetection, { allow: ['(a)\\1'] })['allow.0']).toContain('back-reference');
});
