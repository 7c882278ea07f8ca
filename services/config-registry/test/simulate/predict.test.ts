import { pluginCatalog } from '@sluice/plugins';
import { expect, test } from 'vitest';
import { REFUSES_NOBODY } from '../../src/simulate/predict.ts';
import { RecordedHeaders } from '../../src/simulate/recorded-headers.ts';

test('plugins that are taken to refuse nobody have no handler that could', () => {
  for (const name of REFUSES_NOBODY) {
    const plugin = pluginCatalog.get(name);
    expect(plugin, name).toBeDefined();
    expect(plugin?.guards, name).toBeUndefined();
    expect(plugin?.authenticates, name).toBeUndefined();
    const handlers = [plugin?.access, plugin?.inspect, plugin?.oversize];
    expect(handlers.map((handler) => `${handler}`).join(), name).not.toMatch(/GatewayError|refus/i);
  }
});

test('given a header that was not sent, then a handler hears so; given a value that was not kept, then nobody can tell', () => {
  const headers = new RecordedHeaders(['host', 'cookie', 'accept', 'accept'], new Map([['host', 'a.test']]));

  expect(headers.get('Host')).toBe('a.test');
  expect(headers.get('authorization')).toBeUndefined();
  expect(headers.has('Cookie')).toBe(true);
  expect(() => headers.get('cookie')).toThrow('the value of the header cookie');
  expect(headers.isRepeated('accept')).toBe(true);
  expect(() => headers.getAll('accept')).toThrow('the values of the header accept');
  expect(() => new RecordedHeaders(undefined, new Map()).has('accept')).toThrow('the names of its headers');
});

test('given a header that a handler set or removed, then those after it see that', () => {
  const headers = new RecordedHeaders(['cookie'], new Map());

  headers.delete('Cookie');
  headers.set('X-Made', '1');
  headers.append('x-made', '2');

  expect([headers.has('cookie'), headers.getAll('X-Made')]).toEqual([false, ['1', '2']]);
});
