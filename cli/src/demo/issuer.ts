import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type JWK, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import type { SigningKey } from './signing-key.ts';

const DEFAULT_TTL_SECONDS = 3600; // Logto's default for access tokens
const AUDIENCE = 'https://api.dcoder.test';
const SCOPE = 'gateway:use';
const CLIENT_ID = 'sluice-demo';
const MAX_BODY_BYTES = 16 * 1024;
const ISSUER_PATH = '/oidc'; // as Logto's

const id = z.string().min(1).max(256);

/** What a token is asked for. `ttl` in seconds. */
const TokenRequest = z.object({
  grant_type: z.literal('client_credentials'),
  tenant: id,
  user: id,
  platform: id.default('platform-1'),
  ttl: z.coerce.number().int().min(1).max(31_536_000).default(DEFAULT_TTL_SECONDS),
});
type TokenRequest = z.output<typeof TokenRequest>;

/** The claims Logto writes for a user of an organization, and the platform's own two. */
const claimsFor = (
  issuer: string,
  { tenant, user, platform, ttl }: TokenRequest,
  nowSeconds: number,
): JWTPayload => ({
  iss: issuer,
  sub: user,
  aud: AUDIENCE,
  iat: nowSeconds,
  nbf: nowSeconds,
  exp: nowSeconds + ttl,
  jti: crypto.randomUUID(),
  client_id: CLIENT_ID,
  scope: SCOPE,
  organization_id: tenant,
  tenant_id: tenant,
  platform_id: platform,
});

const discovery = (issuer: string) => ({
  issuer,
  jwks_uri: `${issuer}/jwks`,
  token_endpoint: `${issuer}/token`,
  grant_types_supported: ['client_credentials'],
  response_types_supported: ['token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES384'],
  scopes_supported: [SCOPE],
});

const send = (response: ServerResponse, status: number, body: unknown, cache = 'no-store'): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': cache });
  response.end(JSON.stringify(body));
};

const readForm = async (request: IncomingMessage): Promise<Record<string, string> | undefined> => {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  return Object.fromEntries(new URLSearchParams(await text(request)));
};

const describe = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const issueToken = async (
  issuer: string,
  key: SigningKey,
  request: IncomingMessage,
  response: ServerResponse,
) => {
  const asked = TokenRequest.safeParse((await readForm(request)) ?? {});
  if (!asked.success) {
    send(response, 400, { error: 'invalid_request', error_description: describe(asked.error) });
    return;
  }
  const accessToken = await new SignJWT(claimsFor(issuer, asked.data, Math.floor(Date.now() / 1000)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt' })
    .sign(key.privateKey);
  send(response, 200, {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: asked.data.ttl,
    scope: SCOPE,
  });
};

/**
 * A development issuer in Logto's shape: discovery, JWKS, and tokens for whoever asks. It gives everybody any
 * tenant, so it listens on loopback only and is part of `--demo` alone.
 */
export const createIssuer = (issuerUrl: () => string, key: SigningKey): Server => {
  const keySet: { keys: JWK[] } = { keys: [key.publicJwk] };
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://issuer');
    const route = `${request.method} ${pathname}`;
    if (route === `GET ${ISSUER_PATH}/.well-known/openid-configuration`)
      return send(response, 200, discovery(issuerUrl()), 'max-age=60');
    if (route === `GET ${ISSUER_PATH}/jwks`) return send(response, 200, keySet, 'max-age=60');
    if (route !== `POST ${ISSUER_PATH}/token`) return send(response, 404, { error: 'not_found' });
    issueToken(issuerUrl(), key, request, response).catch(() =>
      send(response, 500, { error: 'server_error', error_description: 'the token could not be signed' }),
    );
  });
};

export const issuerUrlFor = (port: number): string => `http://127.0.0.1:${port}${ISSUER_PATH}`;
