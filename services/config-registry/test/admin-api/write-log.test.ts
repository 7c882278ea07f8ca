import { commitOf } from '@sluice/config-log';
import { STREAMS } from '@sluice/contracts';
import { describe, expect, test } from 'vitest';
import { edgesSeen, runEdge, runRegistry } from '../registry-world.ts';
import { useRegistry } from './writing.ts';

const { send, made, list, generation, world, natsUrl } = useRegistry();

describe('the log', () => {
  const newest = async () => {
    const { lastSeq } = await world().jetstream.streamInfo(STREAMS.CONFIG.name);
    const message = await world().jetstream.readAt(STREAMS.CONFIG.name, lastSeq);
    return message === undefined ? undefined : commitOf(message);
  };

  test('each write is a version with author and message; one that changes nothing is none', async () => {
    const headers = { 'x-sluice-author': 'ann', 'x-sluice-message': 'new shop' };
    const first = await send('PUT', '/services/shop', { host: 'shop.test' }, headers);
    const version = Number(first.headers.get('x-sluice-generation')?.slice(1));
    expect(await newest()).toMatchObject({ actor: 'ann', commit: { version, message: 'new shop' } });
    await send('PUT', '/services/shop', { host: 'shop.test' });
    await send('PATCH', '/services/shop', { host: 'shop.test' });
    expect(await generation()).toBe(`r${version}`);
    await send('PATCH', '/services/shop', { host: 'other.test' });
    expect(await newest()).toMatchObject({
      actor: 'admin-api',
      commit: { version: version + 1, message: 'update services shop' },
    });
  });

  test('given another version than the one looked at, then 409 and no change', async () => {
    await made('/services', { name: 's', host: 's.test' });
    const stale = { 'x-sluice-expected-generation': 'r0' };
    const answer = await send('PATCH', '/services/s', { host: 'x.test' }, stale);
    expect([answer.status, answer.headers.get('x-sluice-generation')]).toEqual([409, await generation()]);
    expect((await send('GET', '/services/s')).body).toMatchObject({ host: 's.test' });
  });

  test('given two registries, when both write at once, then every write is kept and names stay unique', async () => {
    await using other = await runRegistry(natsUrl(), { instance: 'registry-2' });
    const names = Array.from({ length: 20 }, (_, index) => `s-${index}`);
    const both = names.flatMap((name) => [send, other.send].map((to) => ({ name, to })));
    const answers = await Promise.all(
      both.map(({ name, to }) => to('POST', '/services', { name, host: 's.test' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(20);
    expect(statuses.filter((status) => status === 409)).toHaveLength(20);
    expect((await list('/services')).map((one) => one.name).toSorted()).toEqual(names.toSorted());
  });

  test('given an edge, when a route is posted, then the edge has it before the answer', async () => {
    await using edge = await runEdge(natsUrl(), 'edge-1');
    await edgesSeen(world(), 1);
    const { body, headers } = await send('POST', '/routes', { name: 'r', paths: ['/r'] });
    expect(edge.follower.state.get('routes', String(body?.id))?.name).toBe('r');
    expect(headers.get('x-sluice-acknowledged')).toBe('1/1');
  });

  test('POST /config and single writes change the same configuration', async () => {
    await world().postYaml('_format_version: "3.0"\nservices: [{ name: filed, host: f.test }]\n');
    await made('/services/filed/routes', { name: 'r', paths: ['/r'] });
    const config = (await send('GET', '/config')).body?.config as string;
    expect((await world().postYaml(config)).headers.get('x-sluice-generation')).toBe(await generation());
    await world().postYaml('_format_version: "3.0"\n');
    expect(await list('/routes')).toEqual([]);
    await made('/services', { name: 'filed', host: 'again.test' });
  });
});
