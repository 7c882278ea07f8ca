import { ConfigState } from '@sluice/gateway-config';
import { pluginCatalog } from '@sluice/plugins';
import { expect, test } from 'vitest';
import { CommitTaker, type Holder } from '../../src/snapshot/accept.ts';
import { CompiledConfig } from '../../src/snapshot/compile.ts';
import { idOf, plugin, route, service } from '../edge-world.ts';

const pluginNamed = (name: string) => pluginCatalog.get(name);
const upstream = service('s', 'http://127.0.0.1:1');
const stateOf = (routes: number): ConfigState =>
  ConfigState.fromEntities({
    services: [upstream],
    routes: Array.from({ length: routes }, (_, n) => route(`r${n}`, upstream, { paths: [`/r${n}/`] })),
    plugins: [plugin('correlation-id', {}), plugin('cors', {})],
  });
const parts = { pluginNamed, resolve: (text: string) => text };
const matched = (compiled: CompiledConfig, path: string) =>
  compiled.router.match({
    method: 'GET',
    host: 'a.test',
    port: 80,
    path,
    headers: () => undefined,
    scheme: 'http',
  })?.value;
const namesOf = (compiled: CompiledConfig, path: string) =>
  compiled.chainOf(matched(compiled, path)).steps.map(({ anyone }) => anyone?.plugin.name);

test('given a large state, when it is compiled, then other work has its turns meanwhile', async () => {
  let turns = 0;
  let isDone = false;
  const compiling = CompiledConfig.of(stateOf(3000), parts).then((compiled) => {
    isDone = true;
    return compiled;
  });
  const count = () => {
    if (isDone) return;
    turns += 1;
    setImmediate(count);
  };
  setImmediate(count);
  const compiled = await compiling;
  expect(turns).toBeGreaterThan(1);
  expect(matched(compiled, '/r2999/x')?.route.name).toBe('r2999');
});

test('given a configuration in use, when a whole state comes, then it serves until the new one is ready and what did not change is used again', async () => {
  const before = stateOf(1500);
  const changes: (CompiledConfig | undefined)[] = [];
  const holder: Holder = { current: undefined };
  const taker = new CommitTaker({ holder, ...parts, onChange: () => changes.push(holder.current) });
  await taker.takeState(before);
  const old = holder.current;
  const after = before.clone();
  after.apply([
    {
      op: 'put',
      kind: 'routes',
      id: idOf('r1'),
      entity: { ...route('r1', upstream, { paths: ['/moved/'] }) },
    },
    {
      op: 'put',
      kind: 'plugins',
      id: plugin('cors', {}).id,
      entity: { ...plugin('cors', {}, { enabled: false }) },
    },
  ]);

  const taking = taker.takeState(after);
  expect(holder.current).toBe(old);
  await taking;

  const current = holder.current as CompiledConfig;
  expect(changes).toEqual([old, current]);
  expect(matched(current, '/r1/')).toBeUndefined();
  expect(matched(current, '/moved/')?.route.name).toBe('r1');
  expect(matched(current, '/r2/')).toBe(matched(old as CompiledConfig, '/r2/'));
  const correlation = plugin('correlation-id', {}).id;
  expect(current.plugins.get(correlation)).toBe(old?.plugins.get(correlation));
  expect(namesOf(old as CompiledConfig, '/r2/')).toEqual(['correlation-id', 'cors']);
  expect(namesOf(current, '/r2/')).toEqual(['correlation-id']);
});

test('given a state that does not compile, then the old one serves and the next commit compiles the whole state', async () => {
  const holder: Holder = { current: undefined };
  const taker = new CommitTaker({ holder, ...parts, onChange: () => undefined });
  const state = stateOf(2);
  await taker.takeState(state);
  const old = holder.current;
  const bad = state.clone();
  bad.apply([
    { op: 'put', kind: 'plugins', id: idOf('x'), entity: { ...plugin('unheard-of', {}), id: idOf('x') } },
  ]);
  await expect(taker.takeState(bad)).rejects.toThrow('this edge has no plugin named "unheard-of"');
  expect(holder.current).toBe(old);

  bad.apply([{ op: 'delete', kind: 'plugins', id: idOf('x') }]);
  const ops = [{ op: 'delete', kind: 'plugins', id: idOf('x') }] as const;
  await taker.takeCommit(
    { epoch: 'e', version: 2, prevVersion: 1, digest: bad.digest, kind: 'delta', ops: [...ops] },
    bad,
  );
  expect(holder.current).not.toBe(old);
  expect(matched(holder.current as CompiledConfig, '/r1/')?.route.name).toBe('r1');
});
