import { DocumentTooLarge, parseJson } from '@sluice/gateway-config';
import type { FastifyRequest } from 'fastify';
import { limitFields, limitParts } from './limit-form.ts';

/** What came in a request, by its content type. */
export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly entries: readonly (readonly [string, string])[] }
  | { readonly kind: 'yaml'; readonly text: string }
  /** No JSON, or more in it than anything of ours; the message is for the answer. */
  | { readonly kind: 'unreadable'; readonly message: string }
  | { readonly kind: 'unsupported' };

const YAML = new Set(['application/yaml', 'text/yaml', 'application/x-yaml', 'text/x-yaml']);

/** Reads a body as Kong does: JSON, both kinds of form, and YAML for whole configurations. */
export const readBody = async (request: FastifyRequest): Promise<Body> => {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  try {
    return await bodyOf(bytes, request.headers['content-type'] ?? '');
  } catch (error) {
    if (error instanceof DocumentTooLarge) return { kind: 'unreadable', message: error.message };
    throw error;
  }
};

const bodyOf = async (bytes: Buffer, contentType: string): Promise<Body> => {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '') return { kind: bytes.length === 0 ? 'none' : 'unsupported' };
  if (type === 'application/json') return jsonBody(bytes);
  if (YAML.has(type)) return { kind: 'yaml', text: bytes.toString() };
  if (type === 'application/x-www-form-urlencoded') return urlencodedBody(bytes.toString());
  if (type === 'multipart/form-data') return multipartBody(bytes, contentType);
  return { kind: 'unsupported' };
};

const jsonBody = (bytes: Buffer): Body => {
  try {
    return { kind: 'json', value: parseJson(bytes.toString()) };
  } catch (error) {
    if (error instanceof DocumentTooLarge) throw error;
    return { kind: 'unreadable', message: 'Cannot parse JSON body' };
  }
};

const urlencodedBody = (text: string): Body => {
  limitFields(text);
  return { kind: 'form', entries: [...new URLSearchParams(text)] };
};

const multipartBody = async (bytes: Buffer, contentType: string): Promise<Body> => {
  limitParts(bytes, contentType);
  const entries: [string, string][] = [];
  const headers = { 'content-type': contentType };
  const form = await new Response(new Uint8Array(bytes), { headers }).formData().catch(() => undefined);
  for (const [name, value] of form ?? [])
    entries.push([name, typeof value === 'string' ? value : await value.text()]);
  return { kind: 'form', entries };
};
