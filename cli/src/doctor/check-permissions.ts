import { BUS_USERS, busRefused } from '@sluice/contracts';
import type { Bus } from '@sluice/service-kit';
import { type Finding, ok, warning } from './finding.ts';

const PROCESSES = BUS_USERS.filter((user) => user !== 'operator' && user !== 'litellm');
/** For so long a refused message counts, in ms. */
const STILL_MS = 600_000;
const REMEDY =
  'bring deploy/nats/users.conf of this release to the NATS server and reload it; a process that was refused to subscribe has to be restarted';

/** Whether the logins of the processes may do what the contracts say; each tells what it was refused. */
export const checkPermissions = async (bus: Bus): Promise<Finding[]> => {
  const told = await bus.scatter(busRefused, {}).catch(() => []);
  const own = bus.refusals
    .list()
    .map(({ lastAt, ...one }) => ({ ...one, agoMs: Date.now() - lastAt, instance: 'this login', user: '' }));
  const refused = [
    ...own,
    ...told.flatMap(({ instance, user, refused: some }) => some.map((one) => ({ ...one, instance, user }))),
  ]
    .filter(isOfNow)
    .map(({ instance, user, operation, subject, times, agoMs }) => {
      const who = `${instance}${user === '' ? '' : ` (user ${user})`}`;
      const what = `${WORDS[operation] ?? operation} ${subject}`;
      const howOften = `${times} ${times === 1 ? 'time' : 'times'}, the last ${Math.round(agoMs / 1000)} s ago`;
      return warning('permissions', `NATS refuses ${who} ${what}: ${howOften}`, REMEDY);
    });
  const silent = PROCESSES.filter((user) => !told.some((one) => one.user === user));
  if (silent.length > 0)
    refused.push(
      warning(
        'permissions',
        `not heard from ${silent.join(', ')}`,
        `start them; or NATS does not let them answer ${busRefused.subject}: ${REMEDY}`,
      ),
    );
  return refused.length > 0
    ? refused
    : [ok('permissions', `none of ${told.length} processes was refused anything`)];
};

/** A refused subscription is gone for good; what was refused to be published may be allowed by now. */
const isOfNow = ({ operation, agoMs }: { operation: string; agoMs: number }): boolean =>
  operation === 'subscription' || agoMs < STILL_MS;

const WORDS: Readonly<Record<string, string>> = {
  publish: 'to publish',
  subscription: 'to subscribe to',
};
