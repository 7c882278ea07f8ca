import { expect, test } from 'vitest';
import { apiKeyHash, apiKeyIdIn, createApiKey, looksLikeApiKey } from '../src/index.ts';

const PEPPER = 'p'.repeat(32);

test('given a key, then its id is in it, and no two are alike', () => {
  const { id, text } = createApiKey(PEPPER);
  expect(apiKeyIdIn(text, PEPPER)).toBe(id);
  expect(looksLikeApiKey(text)).toBe(true);
  expect(createApiKey(PEPPER).text).not.toBe(text);
});

test('given a key of another server, or one letter changed anywhere, then it is none of ours', () => {
  const { text } = createApiKey(PEPPER);
  expect(apiKeyIdIn(text, 'q'.repeat(32))).toBeUndefined();
  for (let at = 0; at < text.length; at++) {
    const changed = `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
    expect(apiKeyIdIn(changed, PEPPER), changed).toBeUndefined();
  }
  for (const wrong of ['', 'slk_', `${text}\n`, ` ${text}`, `${text}a`, text.slice(0, -1)])
    expect(apiKeyIdIn(wrong, PEPPER)).toBeUndefined();
});

test('what is stored depends on the key and on the pepper, and shows neither', () => {
  const { text } = createApiKey(PEPPER);
  expect(apiKeyHash(text, PEPPER)).toMatch(/^[0-9a-f]{64}$/);
  expect(apiKeyHash(text, PEPPER)).not.toBe(apiKeyHash(text, 'q'.repeat(32)));
});
