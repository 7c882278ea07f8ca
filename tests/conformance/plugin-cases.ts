import { createHmac, type KeyObject, sign } from 'node:crypto';
import type { Answer, CallOptions } from '@sluice/testkit';
import { expect } from 'vitest';
import type { Document, World } from './world.ts';

/** One route for each configuration of a plugin: `{ plain: {} }` is answered under `/plain`. */
export const routesWith = (plugin: string, configs: Readonly<Record<string, Document>>): Document[] =>
  Object.entries(configs).map(([name, config]) => routeWith(name, [{ name: plugin, config }]));

/** A route of that name, under the path of that name. */
export const routeWith = (name: string, plugins: readonly Document[], over: Document = {}): Document => ({
  name,
  paths: [`/${name}`],
  plugins,
  ...over,
});

/** The answer of a plugin in style E: JSON with the request's id, as nobody asked for anything else. */
export const expectError = (answer: Answer, status: number, message: string): void => {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  const id = answer.headers['x-kong-request-id'];
  expect(answer.text).toBe(`{\n  "message":"${message}",\n  "request_id":"${id}"\n}`);
};

/** The answer of a plugin in style X: compact JSON, whatever the client accepts. */
export const expectExit = (answer: Answer, status: number, body: unknown): void => {
  expect({ status: answer.status, text: answer.text }).toEqual({ status, text: JSON.stringify(body) });
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
};

/** The part of an answer's headers whose names begin so. */
export const headersLike = (answer: Answer, prefix: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name.startsWith(prefix)));

/** A GET with one header. */
export const header = (name: string, value: string): CallOptions => ({ headers: { [name]: value } });

/** A JSON or form request. */
export const sent = (body: unknown, type = 'application/json', method = 'POST'): CallOptions => ({
  method,
  headers: { 'content-type': type },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** What the Admin API says of a plugin's configuration. */
export const validate = (world: World, name: string, config: unknown): Promise<Answer> =>
  world.post('/schemas/plugins/validate', { name, config });

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signatureOf = (alg: string, key: KeyObject | string, text: string): Buffer => {
  const bits = alg.slice(2);
  if (typeof key === 'string') return createHmac(`sha${bits}`, key).update(text).digest();
  const bytes = Buffer.from(text);
  if (alg === 'EdDSA') return sign(null, bytes, key);
  const padding = alg.startsWith('PS') ? { padding: 6, saltLength: -1 } : {};
  return sign(`sha${bits}`, bytes, { key, dsaEncoding: 'ieee-p1363', ...padding });
};

/** A signed token; `header` stands over `{ alg, typ }`. */
export const signToken = (
  claims: unknown,
  key: KeyObject | string,
  header: Document & { alg?: string } = {},
): string => {
  const alg = header.alg ?? 'HS256';
  const text = `${base64url({ typ: 'JWT', alg, ...header })}.${base64url(claims)}`;
  return `${text}.${signatureOf(alg, key, text).toString('base64url')}`;
};

/** Unix time, in whole seconds. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
