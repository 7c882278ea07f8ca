import { CLIENT, withSpan } from '@sluice/service-kit';
import type { JSONWebKeySet, JWK } from 'jose';
import { z } from 'zod';

const MAX_BYTES = 256 * 1024; // a JWKS of a hundred RSA keys has 60 KB
const MAX_KEYS = 100;

/** Where the public keys of somebody come from. */
export interface KeySource {
  /** Its discovery document names the keys; null: only `jwksUri` counts. */
  readonly issuer: string | null;
  /** Overrides discovery. */
  readonly jwksUri: string | null;
}

export interface FetchLimits {
  /** For one step, discovery or keys, in ms. */
  readonly timeoutMs: number;
}

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.string() });
const KeySetDocument = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS) });

/** The address of an issuer's keys, from its discovery document (OIDC Discovery 1.0 section 4). */
export const discoverJwksUri = async (issuer: string, limits: FetchLimits): Promise<string> =>
  jwksUriIn(issuer, await readJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, limits));

/**
 * What a discovery document says where the keys of `issuer` are.
 * @throws Error when the document is not this issuer's own: another issuer's keys must not sign for it.
 */
export const jwksUriIn = (issuer: string, json: unknown): string => {
  const document = Discovery.safeParse(json);
  if (!document.success) throw new Error('the discovery document has no issuer and jwks_uri');
  if (document.data.issuer !== issuer)
    throw new Error(`the discovery document is that of ${document.data.issuer.slice(0, 200)}`);
  if (issuer.startsWith('https:') && !document.data.jwks_uri.startsWith('https:'))
    throw new Error('the discovery document of an https issuer names keys without TLS');
  return document.data.jwks_uri;
};

/** The public signature keys at an address. Symmetric and private keys in it are left out. */
export const fetchKeySet = async (jwksUri: string, limits: FetchLimits): Promise<JSONWebKeySet> => {
  const document = KeySetDocument.safeParse(await readJson(jwksUri, limits));
  if (!document.success) throw new Error(`the JWKS is not a list of at most ${MAX_KEYS} keys`);
  const isPublic = (key: JWK) => ['RSA', 'EC', 'OKP'].includes(key.kty ?? '') && key.d === undefined;
  return { keys: (document.data.keys as JWK[]).filter(isPublic) };
};

const readJson = (url: string, limits: FetchLimits): Promise<unknown> => {
  const { host, protocol } = new URL(url);
  if (!/^https?:$/.test(protocol)) throw new Error('keys are fetched over http and https only');
  const attributes = { 'http.request.method': 'GET', 'server.address': host };
  return withSpan('GET', { kind: CLIENT, attributes }, async () => {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error', // whoever is trusted is named in the configuration, not by an answer
      signal: AbortSignal.timeout(limits.timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`${host} answered ${response.status}`);
    }
    return JSON.parse(await readText(response)) as unknown;
  });
};

const readText = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
