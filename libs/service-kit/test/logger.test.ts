import { expect, test, vi } from 'vitest';
import { createLogger, lineWriter } from '../src/index.ts';

const CANARY = 'c4n4ry-0b1c7c0e';

const logging = () => {
  const lines: string[] = [];
  const logger = createLogger(
    { service: 'auth', instance: 'auth-1', level: 'trace' },
    { write: (line) => lines.push(line) },
  );
  return { logger, lines, text: () => lines.join('') };
};

const secretNames = [
  'authorization',
  'Authorization',
  'Proxy-Authorization',
  'cookie',
  'Set-Cookie',
  'apikey',
  'api_key',
  'X-API-Key',
  'token',
  'secret',
  'password',
  'PASSWORD',
  'credential',
  'credentials',
];

test.each(secretNames)('given a field named %s anywhere, then its value is not in the log', (name) => {
  const { logger, text } = logging();

  logger.info({ [name]: CANARY }, 'top');
  logger.warn({ request: { headers: { [name]: CANARY } } }, 'inside');
  logger.error({ list: [{ a: { b: { c: { [name]: [CANARY] } } } }] }, 'deep inside');
  logger.fatal({ [name]: { value: CANARY } }, 'a whole object');
  logger.child({ [name]: CANARY }).info('bound');

  expect(text()).not.toContain(CANARY);
  expect(text().match(/\[redacted\]/g)).toHaveLength(5);
});

test('what is no secret is logged as it is', () => {
  const { logger, lines } = logging();

  logger.info(
    { route: 'agents', nested: { list: [1, { tokens: 3 }], when: new Date(0) }, none: null },
    'request',
  );

  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    service: 'auth',
    instance: 'auth-1',
    msg: 'request',
    route: 'agents',
    nested: { list: [1, { tokens: 3 }], when: '1970-01-01T00:00:00.000Z' },
    none: null,
  });
});

test('what was handed to the logger is not changed', () => {
  const { logger } = logging();
  const fields = { headers: { cookie: CANARY, host: 'a' } };

  logger.info(fields, 'request');

  expect(fields).toEqual({ headers: { cookie: CANARY, host: 'a' } });
});

test('given an error, then its name, message, code, stack and causes are logged and no other field', () => {
  const { logger, text, lines } = logging();
  const cause = Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: CANARY });
  const error = Object.assign(new Error('no answer', { cause }), { command: { args: [CANARY] } });

  logger.error({ err: error }, 'failed');
  logger.error({ reason: error }, 'failed');
  logger.error(error);

  expect(text()).not.toContain(CANARY);
  const [first, second, third] = lines.map((line) => JSON.parse(line));
  const logged = {
    type: 'Error',
    message: 'no answer',
    stack: expect.stringContaining('logger.test.ts'),
    cause: { type: 'TypeError', message: 'Invalid URL', code: 'ERR_INVALID_URL' },
  };
  expect(first.err).toMatchObject(logged);
  expect(second.reason).toMatchObject(logged);
  expect(third).toMatchObject({ err: logged, msg: 'no answer' });
});

test('given fields that contain themselves, then the line is written all the same', () => {
  const { logger, lines } = logging();
  const round: Record<string, unknown> = { name: 'round' };
  round.self = round;

  logger.info({ round }, 'request');

  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'request', round: { name: 'round' } });
});

test('given line breaks and control characters, then an event is still one line', () => {
  const { logger, lines } = logging();

  const path = '/a\r\n{"level":"fatal"}\u001b[31m\u007f\u0085\u009b\u2028\u2029';
  logger.info({ path }, 'a\nb\u2028');

  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ path, msg: 'a\nb\u2028' });
});

test('given a line made by hand, then it has the form of the logger’s own', () => {
  const { logger, lines } = logging();

  logger.info({ status: 200, path: '/a"b' }, 'request');
  const writer = lineWriter(logger, 'request');
  writer.write(`,"status":200,"path":${JSON.stringify('/a"b')}`);
  writer.flush();

  const [own, byHand] = lines.map((line) => JSON.parse(line));
  expect({ ...byHand, time: own.time }).toEqual(own);
  expect(Object.keys(byHand)).toEqual(Object.keys(own));
  expect(Math.abs(Date.parse(byHand.time) - Date.parse(own.time))).toBeLessThan(60_000);
  expect(lines[1]).toMatch(/\n$/);
});

test('given lines one after the other, then they are written together, and none waits for another for ever', async () => {
  const { logger, lines } = logging();
  const writer = lineWriter(logger, 'request');

  writer.write(',"n":1');
  writer.write(',"n":2');
  expect(lines).toHaveLength(0);
  await vi.waitUntil(() => lines.length > 0);

  expect(lines).toHaveLength(1);
  const written = (lines[0] ?? '').trimEnd().split('\n');
  expect(written.map((line) => JSON.parse(line).n)).toEqual([1, 2]);

  for (let n = 0; n < 1000; n++) writer.write(`,"n":${n}`);
  expect(lines.length).toBeGreaterThan(1); // so many do not wait for the time
});

test('given the level is raised while the process runs, then the writer is off', () => {
  const { logger } = logging();
  const writer = lineWriter(logger, 'request');

  expect(writer.isOn()).toBe(true);
  logger.level = 'warn';
  expect(writer.isOn()).toBe(false);
});
