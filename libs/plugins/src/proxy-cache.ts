import { GatewayError } from '@sluice/contracts';
import { cacheKeyOf } from './cache-key.ts';
import { directivesOf, isAcceptable, isCacheable, type Prepared, prepare, ttlOf } from './cache-rules.ts';
import type { Exchange } from './exchange.ts';
import { definePlugin, MAX_ANSWER_BYTES, type Step } from './plugin.ts';
import type { Ports, StoredAnswer } from './ports.ts';
import { type ProxyCacheConfig, proxyCacheConfig } from './proxy-cache-config.ts';
import { answerLines, askedWith, keptLines } from './stored-answer.ts';

type Status = 'Miss' | 'Hit' | 'Refresh' | 'Bypass';
const MEMO = 'proxy-cache';

const show = (
  { toClient }: Exchange,
  { response_headers }: ProxyCacheConfig,
  name: keyof ProxyCacheConfig['response_headers'],
  value: string,
): void => {
  if (response_headers[name]) toClient.set(name, value);
};
const showStatus = (exchange: Exchange, { config }: Prepared, status: Status): void =>
  show(exchange, config, 'X-Cache-Status', status);

const answer = (exchange: Exchange, prepared: Prepared, stored: StoredAnswer): GatewayError => {
  for (const [name, value] of answerLines(exchange, stored)) exchange.toClient.append(name, value);
  const ageSeconds = Math.max(0, Math.floor((exchange.startedAt - stored.storedAt) / 1000));
  show(exchange, prepared.config, 'age', `${ageSeconds}`);
  showStatus(exchange, prepared, 'Hit');
  return new GatewayError('GW_ANSWERED', { status: stored.status, body: stored.body });
};

const hasBody = ({ fromClient }: Exchange): boolean =>
  fromClient.has('transfer-encoding') || (fromClient.get('content-length') ?? '0') !== '0';

const lookUp = (exchange: Exchange, prepared: Prepared, ports: Ports, body: Buffer | undefined): Step => {
  const { config } = prepared;
  const key = cacheKeyOf(exchange, config, body);
  show(exchange, config, 'X-Cache-Key', key);
  const stored = ports.recallAnswer(key);
  const onlyStored = config.cache_control && directivesOf(exchange).has('only-if-cached');
  if (stored === undefined && onlyStored) return new GatewayError('GW_ANSWERED', { status: 504, body: null });
  if (stored !== undefined && isAcceptable(exchange, prepared, stored))
    return answer(exchange, prepared, stored);
  exchange.memo.set(MEMO, key);
  showStatus(exchange, prepared, stored === undefined ? 'Miss' : 'Refresh');
  return undefined;
};

/** Kong's `proxy-cache`: gives an upstream's answer again to the same question. */
export const proxyCache = definePlugin({
  name: 'proxy-cache',
  priority: 100,
  reads: { always: ['cache-control'], namedBy: ['vary_headers'] },
  summary: "Keeps upstreams' answers and gives them again.",
  config: proxyCacheConfig,
  prepare,
  access: (exchange, prepared, ports): Step | Promise<Step> => {
    const bypass = (): undefined => showStatus(exchange, prepared, 'Bypass') as undefined;
    if (!isCacheable(exchange, prepared)) return bypass();
    if (!hasBody(exchange)) return lookUp(exchange, prepared, ports, undefined);
    return exchange
      .readBody(MAX_ANSWER_BYTES)
      .then((body) => (body === undefined ? bypass() : lookUp(exchange, prepared, ports, body)));
  },
  response: (exchange, prepared) => {
    if (!exchange.memo.has(MEMO) || ttlOf(exchange, prepared) !== undefined) return;
    exchange.memo.delete(MEMO);
    showStatus(exchange, prepared, 'Bypass');
  },
  wantsBody: ({ memo }) => memo.has(MEMO),
  body: (exchange, prepared, _body, ports) => {
    const { memo, upstream, method } = exchange;
    const ttlSeconds = ttlOf(exchange, prepared);
    if (upstream?.body === undefined || ttlSeconds === undefined) return undefined;
    const { status, body } = upstream;
    const headers = keptLines(upstream, method);
    const asked = askedWith(exchange, upstream);
    const stored = { status, headers, body, asked, storedAt: Date.now(), ttlSeconds };
    ports.rememberAnswer(memo.get(MEMO) as string, stored, prepared.config.storage_ttl ?? ttlSeconds);
    return undefined;
  },
});
