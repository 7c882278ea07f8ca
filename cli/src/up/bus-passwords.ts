import { randomBytes } from 'node:crypto';
import { BUS_USERS, type BusUser } from '@sluice/contracts';

const PASSWORD_BYTES = 24;

export type BusPasswords = Readonly<Record<BusUser, string>>;

/** New at every start: what one run leaked opens nothing in the next. */
export const drawPasswords = (): BusPasswords =>
  Object.fromEntries(
    // A letter first: nats-server and some clients take what begins with a digit for a number.
    BUS_USERS.map((user) => [user, `p${randomBytes(PASSWORD_BYTES).toString('hex')}`]),
  ) as unknown as BusPasswords;

/** Whose part a process of this run plays on the bus. */
const userOf = (service: string): BusUser =>
  service === 'demo' ? 'litellm' : (BUS_USERS.find((user) => user === service) ?? 'operator');

/** A process's login, in place of whatever the operator's own environment says of another bus. */
export const busLoginOf = (passwords: BusPasswords, service: string): Readonly<Record<string, string>> => ({
  NATS_USER: userOf(service),
  NATS_PASSWORD: passwords[userOf(service)],
  NATS_CREDS: '',
  NATS_TLS_CA: '',
  NATS_TLS_CERT: '',
  NATS_TLS_KEY: '',
});
