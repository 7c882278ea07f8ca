import { expect, test } from 'vitest';
import { dependenciesOf } from '../../src/console/dependencies.ts';

const WELL = `sluice_nats_connected 1
sluice_config_stale 0
sluice_breaker_open{dependency="auth"} 0
sluice_breaker_open{dependency="ratelimit"} 0
sluice_target_breaker_open 0
sluice_overload_state 0
`;
const illOf = (texts: readonly string[], isConnected = true) =>
  dependenciesOf(
    texts.map((text, at) => ({ instance: `edge-${at}`, text })),
    isConnected,
  ).flatMap(({ name, isWell }) => (isWell ? [] : [name]));

test('what edges tell of their dependencies: each figure that is not well names its part', () => {
  expect(illOf([WELL, WELL])).toEqual([]);
  for (const [from, to, name] of [
    ['nats_connected 1', 'nats_connected 0', 'nats'],
    ['config_stale 0', 'config_stale 1', 'config-registry'],
    ['"auth"} 0', '"auth"} 1', 'auth'],
    ['"ratelimit"} 0', '"ratelimit"} 1', 'ratelimit'],
    ['target_breaker_open 0', 'target_breaker_open 2', 'upstreams'],
    ['overload_state 0', 'overload_state 2', 'capacity'],
  ] as const)
    expect(illOf([WELL, WELL.replace(from, to)])).toEqual([name]);
  expect(illOf([WELL], false)).toEqual(['nats']);
});
