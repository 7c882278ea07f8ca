import { expect, test } from 'vitest';
import { useRegistry } from './writing.ts';

const { send, made, list } = useRegistry();
// Resolved by the edge; what is in the PEM does not matter here.
const pair = { cert: '{vault://env/cert}', key: '{vault://env/key}' };

test('a certificate is written and shown with its names, and found by them', async () => {
  const certificate = await made('/certificates', { ...pair, snis: ['a.test', 'b.test'] });
  expect(certificate.snis).toEqual(['a.test', 'b.test']);
  expect((await send('GET', '/certificates/a.test')).body).toEqual(certificate);
  expect(await list('/snis')).toHaveLength(2);

  const patched = await send('PATCH', '/certificates/a.test', { snis: ['b.test', 'c.test'] });
  expect(patched.body).toMatchObject({ id: certificate.id, snis: ['b.test', 'c.test'] });
  expect(await send('GET', '/certificates/a.test')).toMatchObject({
    status: 404,
    body: { message: 'SNI not found' },
  });
  expect((await list('/certificates'))[0]?.snis).toEqual(['b.test', 'c.test']);

  const other = await send('POST', '/certificates', { ...pair, snis: ['b.test'] });
  expect(other).toMatchObject({
    status: 400,
    body: { fields: { snis: `b.test already associated with existing certificate '${certificate.id}'` } },
  });
  expect((await send('DELETE', '/certificates/b.test')).status).toBe(204);
  expect(await list('/snis')).toEqual([]);
});

test('a certificate that a service presents stays', async () => {
  const { id } = await made('/certificates', pair);
  await made('/services', { name: 's', url: 'https://s.test', client_certificate: { id } });
  expect((await send('GET', '/services/s/client_certificate')).body).toMatchObject({ id });
  expect(await send('DELETE', `/certificates/${id}`)).toMatchObject({
    status: 400,
    body: { code: 4, message: "an existing 'services' entity references this 'certificates' entity" },
  });
});
