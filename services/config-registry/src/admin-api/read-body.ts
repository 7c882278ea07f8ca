import { parseJson } from '@sluice/gateway-config';
import type { FastifyRequest } from 'fastify';

/** What came in a request, by its content type. */
export type Body =
  | { readonly kind: 'none' }
  /** `length` in bytes. */
  | { readonly kind: 'json'; readonly value: unknown; readonly length: number }
  | { readonly kind: 'form'; readonly entries: readonly (readonly [string, string])[] }
  | { readonly kind: 'yaml'; readonly text: string }
  | { readonly kind: 'bad-json' }
  | { readonly kind: 'unsupported' };

const YAML = new Set(['application/yaml', 'text/yaml', 'application/x-yaml', 'text/x-yaml']);

/** Reads a body as Kong does: JSON, both kinds of form, and YAML for whole configurations. */
export const readBody = async (request: FastifyRequest): Promise<Body> => {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const contentType = request.headers['content-type'];
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '') return { kind: bytes.length === 0 ? 'none' : 'unsupported' };
  if (type === 'application/json') return jsonBody(bytes);
  if (YAML.has(type)) return { kind: 'yaml', text: bytes.toString() };
  if (type === 'application/x-www-form-urlencoded')
    return { kind: 'form', entries: [...new URLSearchParams(bytes.toString())] };
  if (type === 'multipart/form-data') return formBody(bytes, contentType ?? '');
  return { kind: 'unsupported' };
};

const jsonBody = (bytes: Buffer): Body => {
  try {
    return { kind: 'json', value: parseJson(bytes.toString()), length: bytes.length };
  } catch {
    return { kind: 'bad-json' };
  }
};

const formBody = async (bytes: Buffer, contentType: string): Promise<Body> => {
  const entries: [string, string][] = [];
  const headers = { 'content-type': contentType };
  const form = await new Response(new Uint8Array(bytes), { headers }).formData().catch(() => undefined);
  for (const [name, value] of form ?? [])
    entries.push([name, typeof value === 'string' ? value : await value.text()]);
  return { kind: 'form', entries };
};
