import type { Protection } from './protection.ts';

const EDGE = 'services/edge-proxy';
const ROUND = {
  test: 'tests/faults.test.ts',
  title: 'given auth, ratelimit, their links, the issuer and upstreams are hurt',
};

/** What the judgements of the seeded rounds notice, by the round in which everything decisions need is hurt. */
export const roundProtections: readonly Protection[] = [
  {
    row: 'D1',
    without: 'failing closed, under faults',
    file: `${EDGE}/src/decide/decisions.ts`,
    part: "return new GatewayError('GW_AUTH_UNAVAILABLE', {",
    instead:
      "if (error !== null) return { outcome: 'allow', identity: {} } as never;\n      return new GatewayError('GW_AUTH_UNAVAILABLE', {",
    ...ROUND,
  },
  {
    row: 'D2',
    without: 'failing open, under faults',
    file: 'libs/plugins/src/rate-limiting.ts',
    part: "if (!config.fault_tolerant) return new GatewayError('GW_LIMITER_UNAVAILABLE');",
    instead: "return new GatewayError('GW_LIMITER_UNAVAILABLE');",
    ...ROUND,
  },
  {
    row: 'D3',
    without: 'asking once a second whoever hung',
    file: 'libs/service-kit/src/breaker.ts',
    part: 'if (now < this.#nextProbeAt) return false;',
    instead: 'if (now > 0) return false;',
    ...ROUND,
  },
  {
    row: 'D7',
    without: 'the visible end of an answer that broke off',
    file: `${EDGE}/src/upstream/relay-answer.ts`,
    part: 'broke: () => response.destroy(),',
    instead: 'broke: () => response.end(),',
    ...ROUND,
  },
  {
    row: 'M1',
    without: 'the count of decisions without a service',
    file: `${EDGE}/src/decide/dependency-health.ts`,
    part: 'this.#metrics.dependencyFailed(dependency, reason);',
    instead: '',
    ...ROUND,
  },
];
