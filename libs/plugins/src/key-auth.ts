import type { z } from 'zod';
import { authenticate, challengeOf, isTooLong, type Judgement, judge, unauthorized } from './authenticate.ts';
import { bodyValues, removeFromBody } from './body-values.ts';
import { fromByteString } from './byte-string.ts';
import type { Exchange, HeaderList } from './exchange.ts';
import { filled, flag, headerName, headerText, listOf, record, unset } from './fields.ts';
import { definePlugin } from './plugin.ts';
import type { Ports } from './ports.ts';
import { formatArgs, parseArgs } from './query-args.ts';
import { bodyKindOf } from './transform-body.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;

const Config = record({
  key_names: listOf(headerName()).default(['apikey']).describe('Names under which a key may be sent.'),
  key_in_header: flag().default(true).describe('Keys may be sent in headers.'),
  key_in_query: flag().default(true).describe('Keys may be sent as query arguments.'),
  key_in_body: flag().default(false).describe('Keys may be sent in a form or JSON body, up to 8 MiB.'),
  hide_credentials: flag().default(false).describe('The upstream does not see the key.'),
  anonymous: unset(filled()).describe('Consumer (id or username) for requests without a valid key.'),
  realm: unset(headerText()).describe('Realm of the WWW-Authenticate header.'),
  run_on_preflight: flag().default(true).describe('OPTIONS requests need a key as well.'),
});

const prepare = (config: z.output<typeof Config>, { pluginId }: { readonly pluginId: string }) => ({
  ...config,
  pluginId,
  challenge: challengeOf('Key', config.realm),
});
type Prepared = ReturnType<typeof prepare>;

interface Body {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** Lua's header table answers `api_key` with `api-key` where no header has the underscore itself. */
const spellingsOf = (name: string): readonly string[] => [name, name.replaceAll('_', '-')];

const headerValues = (headers: HeaderList, name: string): readonly string[] =>
  spellingsOf(name)
    .map((spelling) => headers.getAll(spelling))
    .find((values) => values.length > 0) ?? [];

/** What stands under a name in the first place that has it: header, query, body. */
const valuesOf = (exchange: Exchange, config: Prepared, name: string, body?: Body): readonly unknown[] => {
  const inHeader = config.key_in_header ? headerValues(exchange.fromClient, name) : [];
  if (inHeader.length > 0) return inHeader.map(fromByteString);
  const args = config.key_in_query && exchange.query !== '' ? parseArgs(exchange.query) : [];
  const inQuery = args.filter((arg) => arg.name === name);
  if (inQuery.length > 0) return inQuery.map(({ value }) => (value === true ? value : fromByteString(value)));
  return body === undefined ? [] : bodyValues(body.bytes, body.contentType, name);
};

/** Takes the key out of what goes upstream, wherever it may stand under this name. */
const hide = (exchange: Exchange, name: string, body: Body | undefined): void => {
  for (const spelling of spellingsOf(name)) exchange.toUpstream.delete(spelling);
  const args = parseArgs(exchange.upstreamQuery);
  const kept = args.filter((arg) => arg.name !== name);
  if (kept.length < args.length) exchange.upstreamQuery = formatArgs(kept);
  const changed = body && removeFromBody(body.bytes, body.contentType, name);
  if (changed !== undefined) exchange.replaceBody(changed);
};

const identify = (
  exchange: Exchange,
  config: Prepared,
  ports: Ports,
  body?: Body,
): Judgement | Promise<Judgement> => {
  const { challenge, pluginId } = config;
  const refuse = () => unauthorized(challenge);
  for (const name of config.key_names) {
    const [value, ...others] = valuesOf(exchange, config, name, body);
    if (others.length > 0 || Array.isArray(value)) return unauthorized(challenge, 'Duplicate API key found');
    if (typeof value !== 'string') continue;
    if (config.hide_credentials) hide(exchange, name, body);
    if (value === '') break;
    if (isTooLong(value)) return refuse();
    return judge(exchange, ports, pluginId, { scheme: 'key', token: value }, refuse);
  }
  return unauthorized(challenge, 'No API key found in request');
};

const readBody = async (exchange: Exchange): Promise<Body | undefined> => {
  const contentType = exchange.fromClient.get('content-type') ?? '';
  const bytes = await exchange.readBody(MAX_BODY_BYTES);
  return bytes && { bytes, contentType };
};

/** Kong's `key-auth`: who is calling, by an API key. */
export const keyAuth = definePlugin({
  name: 'key-auth',
  priority: 1250,
  reads: { namedBy: ['key_names'] },
  summary: 'Requires an API key of a consumer.',
  config: Config,
  consumerScope: false,
  authenticates: true,
  prepare,
  access: (exchange, config, ports) =>
    authenticate(exchange, config, ports, () =>
      config.key_in_body && bodyKindOf(exchange.fromClient.get('content-type')) !== undefined
        ? readBody(exchange).then((body) => identify(exchange, config, ports, body))
        : identify(exchange, config, ports),
    ),
});
