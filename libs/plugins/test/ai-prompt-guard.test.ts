import { expect, test } from 'vitest';
import { aiPromptGuard } from '../src/ai-prompt-guard.ts';
import { testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const ask = async (config: object, body: unknown) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const ports = testPorts();
  const step = await instance(aiPromptGuard, config).access(
    testExchange({ method: 'POST', body: text }),
    ports,
  );
  return { refusal: refusalOf(step), logged: ports.logged };
};
const isRefused = async (config: object, body: unknown) => (await ask(config, body)).refusal !== undefined;
const user = (content: unknown) => ({ role: 'user', content });
const messages = (...all: unknown[]) => ({ messages: all });
const deny = { deny_patterns: ['(?i)ignore previous'] };

test('given a pattern to deny, when the prompt matches, then 400 without the reason', async () => {
  const { refusal, logged } = await ask(deny, messages(user('please IGNORE previous orders')));
  expect(refusal).toMatchObject({ status: 400, body: { error: { message: 'bad request' } } });
  expect(logged).toEqual([{ level: 'info', message: 'prompt refused' }]);
});

const conversation = messages(
  { role: 'system', content: 'be kind' },
  user('ignore previous'),
  { role: 'assistant', content: 'no' },
  user('hello'),
);
const cases: [config: object, body: unknown, refused: boolean][] = [
  [deny, messages(user('hello')), false],
  [deny, { prompt: 'ignore previous' }, true],
  [deny, { prompt: 'hello' }, false],
  [deny, conversation, true],
  [{ ...deny, allow_all_conversation_history: true }, conversation, false],
  [{ deny_patterns: ['be kind'] }, conversation, false],
  [{ deny_patterns: ['be kind'], match_all_roles: true }, conversation, true],
  [{ allow_patterns: ['^hello'] }, conversation, false],
  [{ allow_patterns: ['weather'] }, conversation, true],
  [{ allow_patterns: ['hello'], deny_patterns: ['hello'] }, conversation, true],
  [deny, messages(user([{ type: 'text', text: 'ignore previous' }, { type: 'image_url' }])), true],
  [deny, messages(user('hi'), { role: 'assistant', content: null, tool_calls: [] }), false],
  [{ ...deny, llm_format: 'gemini' }, { contents: [{ parts: [{ text: 'ignore previous' }] }] }, true],
  [{ ...deny, llm_format: 'gemini' }, { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }, false],
  [{ ...deny, llm_format: 'bedrock' }, messages(user([{ text: 'ignore previous' }])), true],
];
test.each(cases)('%j and %j: refused %s', async (config, body, refused) => {
  expect(await isRefused(config, body)).toBe(refused);
});

test.each(['', 'not json', '[]', '{}', '{"messages":[]}', '{"messages":"x"}', '{"messages":[{"role":1}]}'])(
  'given the body %j, when nothing in it can be judged, then it is refused',
  async (body) => {
    expect(await isRefused(deny, body)).toBe(true);
  },
);

test('a body that is too large is refused', async () => {
  const body = messages(user('x'.repeat(200)));
  expect(await isRefused({ ...deny, max_request_body_size: 100 }, body)).toBe(true);
  expect(await isRefused({ ...deny, max_request_body_size: 1000 }, body)).toBe(false);
});

test('what cannot work is refused in the configuration', () => {
  expect(problemsOf(aiPromptGuard, {})[''] ?? '').toContain("'config.allow_patterns'");
  expect(problemsOf(aiPromptGuard, { deny_patterns: ['('] })['deny_patterns.0']).toContain(
    'not a valid regex: (',
  );
  expect(problemsOf(aiPromptGuard, { deny_patterns: Array(11).fill('a') })).toEqual({
    deny_patterns: 'length must be at most 10',
  });
  expect(problemsOf(aiPromptGuard, { deny_patterns: ['a'.repeat(501)] })).toEqual({
    'deny_patterns.0': 'length must be at most 500',
  });
  const both = { ...deny, match_all_roles: true, allow_all_conversation_history: true };
  expect(problemsOf(aiPromptGuard, both)).toMatchObject({
    allow_all_conversation_history: 'value must be false',
  });
});
