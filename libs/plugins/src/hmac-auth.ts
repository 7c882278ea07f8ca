import { createHash } from 'node:crypto';
import { GatewayError, HMAC_ALGORITHMS, MAX_USERNAME_CHARS } from '@sluice/contracts';
import type { z } from 'zod';
import { authenticate, challengeOf, isTooLong, type Judgement, judge, unauthorized } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { choice, decimal, filled, flag, headerText, listOf, record, text, unset } from './fields.ts';
import {
  type HmacAlgorithm,
  type HmacParams,
  isWithinSkew,
  parseHmacParams,
  signingStringOf,
} from './hmac-signature.ts';
import { definePlugin } from './plugin.ts';
import type { Credential, Ports } from './ports.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;

const Config = record({
  hide_credentials: flag().default(false).describe('The upstream does not see the signature.'),
  clock_skew: decimal()
    .positive('value must be greater than 0')
    .default(300)
    .describe('Longest time between the date of a request and now, in seconds.'),
  anonymous: unset(filled()).describe('Consumer (id or username) for requests without a valid signature.'),
  validate_request_body: flag()
    .default(false)
    .describe('The body must fit the Digest header, and may have 8 MiB at most.'),
  enforce_headers: listOf(text()).default([]).describe('What must be among the signed headers.'),
  algorithms: listOf(choice(HMAC_ALGORITHMS))
    .default([...HMAC_ALGORITHMS])
    .describe('Algorithms that signatures may be made with.'),
  realm: unset(headerText()).describe('Realm of the WWW-Authenticate header.'),
});

const prepare = (config: z.output<typeof Config>, { pluginId }: { readonly pluginId: string }) => ({
  ...config,
  pluginId,
  refuse: (message?: string) => unauthorized(challengeOf('hmac', config.realm), message),
});
type Prepared = ReturnType<typeof prepare>;

const NO_DATE =
  'HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication';
const NOT_VERIFIABLE = 'HMAC signature cannot be verified';
const NO_MATCH = 'HMAC signature does not match';

/** The signature of the first header that has one; it is hidden from the upstream if that is wanted. */
const findParams = ({ fromClient, toUpstream }: Exchange, hides: boolean): HmacParams | undefined => {
  for (const name of ['Proxy-Authorization', 'Authorization']) {
    const params = parseHmacParams(fromClient.get(name));
    if (params === undefined) continue;
    if (hides) toUpstream.delete(name);
    return params;
  }
  return undefined;
};

/** Refuses what can be refused without knowing the secret; otherwise what the auth process needs. */
const findSignature = (exchange: Exchange, config: Prepared): Credential | GatewayError => {
  const { fromClient } = exchange;
  if (!fromClient.has('Authorization') && !fromClient.has('Proxy-Authorization')) return config.refuse();
  if (!isWithinSkew(exchange, config.clock_skew)) return config.refuse(NO_DATE);
  const params = findParams(exchange, config.hide_credentials);
  if (params === undefined) return config.refuse(NOT_VERIFIABLE);
  const { username, algorithm, signature } = params;
  const signed = new Set(params.signed.map((name) => name.toLowerCase()));
  const isAllowed = (config.algorithms as readonly string[]).includes(algorithm);
  if (!isAllowed || !config.enforce_headers.every((name) => signed.has(name.toLowerCase())))
    return config.refuse(NOT_VERIFIABLE);
  const signingString = signingStringOf(exchange, params.signed);
  if (isTooLong(signingString) || isTooLong(signature) || username.length > MAX_USERNAME_CHARS)
    return config.refuse(NOT_VERIFIABLE);
  const hmac = { username, algorithm: algorithm as HmacAlgorithm, signingString };
  return { scheme: 'hmac', token: signature, hmac };
};

/** A body fits its Digest; where there is none, no Digest is needed. */
const fitsDigest = async (exchange: Exchange): Promise<boolean> => {
  const body = await exchange.readBody(MAX_BODY_BYTES);
  if (body === undefined) return false;
  const digest = exchange.fromClient.get('Digest');
  if (digest === undefined) return body.length === 0;
  return digest === `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
};

const identify = async (exchange: Exchange, config: Prepared, ports: Ports): Promise<Judgement> => {
  const credential = findSignature(exchange, config);
  if (credential instanceof GatewayError) return credential;
  const judgement = await judge(exchange, ports, config.pluginId, credential, ({ body }) =>
    config.refuse(typeof body.message === 'string' ? body.message : undefined),
  );
  if (judgement instanceof GatewayError || !config.validate_request_body) return judgement;
  return (await fitsDigest(exchange)) ? judgement : config.refuse(NO_MATCH);
};

/** Kong's `hmac-auth`: who is calling, by a signature over headers of the request. */
export const hmacAuth = definePlugin({
  name: 'hmac-auth',
  priority: 1030,
  reads: { always: ['date', 'x-date', 'digest'], namedBy: ['enforce_headers'] },
  summary: 'Requires a signature made with the secret of a consumer.',
  config: Config,
  consumerScope: false,
  authenticates: true,
  prepare,
  access: (exchange, config, ports) =>
    authenticate(exchange, config, ports, () => identify(exchange, config, ports)),
});
