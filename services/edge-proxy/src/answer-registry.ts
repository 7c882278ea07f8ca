import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import {
  edgeAnswerCache,
  edgeLogLevel,
  edgeMetrics,
  edgeShadow,
  edgeTargetHealth,
  edgeUpstreamHealth,
  MAX_EXEMPLARS,
} from '@sluice/contracts';
import type { StoredAnswer } from '@sluice/plugins';
import type { Bus, Registry } from '@sluice/service-kit';
import type { AnswerCache } from './decide/answer-cache.ts';
import type { Gateway } from './gateway.ts';
import type { ShadowLedger } from './shadow/ledger.ts';
import { tellShadow } from './shadow/tell.ts';

/** By a thread of libuv's; series repeat themselves, so the quickest level makes a thirtieth of them. */
const packed = promisify(zstdCompress);

/** Half of what a message may hold: base64 makes a third more of it. */
const MAX_SHOWN_BYTES = 512 * 1024;

/** What the Admin API asks of every edge: its metrics, what it knows of targets, what it keeps. */
export const answerRegistry = (
  bus: Bus,
  parts: { gateway: Gateway; answers: AnswerCache; registry: Registry; shadow: ShadowLedger },
): void => {
  const { gateway, answers, registry, shadow } = parts;
  const { instance, balancers, logger } = gateway;
  bus.answer(edgeMetrics, async ({ accepts = [] }) => {
    const exemplars = [...gateway.metrics.exemplars()].sort((a, b) => b.at - a.at).slice(0, MAX_EXEMPLARS);
    const text = await registry.metrics();
    if (!accepts.includes('zstd')) return { instance, text, exemplars };
    return { instance, text: '', zstd: (await packed(text)).toString('base64'), exemplars };
  });
  bus.answer(edgeUpstreamHealth, ({ upstreamId }) => ({ instance, targets: balancers.health(upstreamId) }));
  bus.answer(edgeTargetHealth, ({ upstreamId, target, address, health }) => {
    const outcome = balancers.setHealth(upstreamId, { target, address }, health === 'HEALTHY');
    logger.info({ upstreamId, target, address, health, outcome }, 'health of a target set by hand');
    return { instance, outcome };
  });
  bus.answer(edgeAnswerCache, ({ action, key = '' }) => {
    if (action === 'clear') return { instance, count: answers.clear() };
    if (action === 'drop') return { instance, count: answers.drop(key) ? 1 : 0 };
    const answer = answers.peek(key);
    return answer === undefined ? { instance, count: 0 } : { instance, count: 1, answer: shown(answer) };
  });
  bus.answer(edgeShadow, (asked) => ({ instance, ...tellShadow(shadow, asked) }));
  bus.answer(edgeLogLevel, ({ level }) => {
    logger.level = level;
    return { instance };
  });
};

const shown = ({ status, headers, body, storedAt, ttlSeconds }: StoredAnswer) => ({
  status,
  headers: headers.map(([name, value]): [string, string] => [name, value]),
  bodyBytes: body.length,
  ...(body.length > MAX_SHOWN_BYTES ? {} : { body: body.toString('base64') }),
  storedAt,
  ttlSeconds,
});
