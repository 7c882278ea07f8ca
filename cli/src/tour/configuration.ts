import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import type { Surroundings } from '../surroundings.ts';
import { PREFIX, SCENES } from './scenes.ts';

/** The Admin API said no, in words. */
export class TourRefused extends Error {}

type Send = (method: string, path: string, value?: object) => Promise<void>;

const senderTo =
  (options: AdminOptions, io: Surroundings): Send =>
  async (method, path, value) => {
    const question = { method, ...(value && { body: JSON.stringify(value) }) };
    const answer = await readAdmin<unknown>(options, io, path, question);
    if (!answer.ok) throw new TourRefused(answer.why);
  };

const limits = (minute: number) => ({
  name: 'rate-limiting',
  config: { minute, limit_by: 'header', header_name: 'X-Tenant-Id' },
});
const quota = { name: 'quota-mirror', config: { block_on_quota_exceeded: true } };

/** Adds a service on this machine with three routes, of which one is limited and one asks for a quota. */
export const addTour = async (
  options: AdminOptions,
  io: Surroundings,
  { port, limit }: { port: number; limit: number },
): Promise<void> => {
  const send = senderTo(options, io);
  await removeTour(options, io); // of one that was killed
  const timeouts = { connect_timeout: 1000, read_timeout: 2000, retries: 0 };
  await send('PUT', `/services/${PREFIX}`, { url: `http://127.0.0.1:${port}`, ...timeouts });
  for (const { route } of Object.values(SCENES))
    await send('PUT', `/services/${PREFIX}/routes/${route}`, { paths: [`/${route}`] });
  await send('POST', `/routes/${SCENES.greedy.route}/plugins`, limits(limit));
  await send('POST', `/routes/${SCENES.spent.route}/plugins`, quota);
};

/** Takes out what `addTour` put in; plugins go with their routes. */
export const removeTour = async (options: AdminOptions, io: Surroundings): Promise<void> => {
  const send = senderTo(options, io);
  for (const { route } of Object.values(SCENES)) await send('DELETE', `/routes/${route}`);
  await send('DELETE', `/services/${PREFIX}`);
};
