import type { Answer } from '@sluice/testkit';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Document, World } from './world.ts';

export const UUID = '9d0c1b9e-7a0e-4a63-9b7e-6a3f0c1d2e3f';
export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** One request to the Admin API: JSON, a form, a raw body with its type, or nothing. */
export type Body = object | URLSearchParams | { readonly raw: string; readonly type?: string } | undefined;

const isRaw = (body: object): body is { raw: string; type?: string } => 'raw' in body;

const payloadOf = (body: Body): { headers: Record<string, string>; body?: string } => {
  if (body === undefined) return { headers: {} };
  if (body instanceof URLSearchParams)
    return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `${body}` };
  if (isRaw(body))
    return { headers: body.type === undefined ? {} : { 'content-type': body.type }, body: body.raw };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
};

/** `curl -F name=value …`, byte for byte. */
export const multipartOf = (fields: Readonly<Record<string, string>>): { raw: string; type: string } => {
  const boundary = '------------------------a1b2c3d4';
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return { raw: `${parts.join('')}--${boundary}--\r\n`, type: `multipart/form-data; boundary=${boundary}` };
};

/** A gateway for all cases of a file, and its Admin API. */
export const useAdmin = (env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) => {
  let world: World;
  beforeAll(async () => {
    world = await World.start(env, args);
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const send = (
    method: string,
    path: string,
    body?: Body,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const payload = payloadOf(body);
    return world.admin(path, { method, ...payload, headers: { ...payload.headers, ...headers } });
  };
  const answered = async (method: string, path: string, body?: Body) => {
    const answer = await send(method, path, body);
    return { status: answer.status, body: answer.text === '' ? undefined : answer.json() };
  };
  return {
    world: () => world,
    send,
    /** Status and parsed body; undefined: there was none. */
    answered,
    load: (document: Document) => world.load(document),
    /** What a POST made. */
    made: async (path: string, body: Body): Promise<Record<string, unknown> & { id: string }> => {
      const { status, body: entity } = await answered('POST', path, body);
      expect({ status, entity }).toMatchObject({ status: 201, entity: { id: expect.anything() } });
      return entity as Record<string, unknown> & { id: string };
    },
    list: async (path: string): Promise<Record<string, unknown>[]> =>
      (await send('GET', path)).json<{ data: Record<string, unknown>[] }>().data,
  };
};
