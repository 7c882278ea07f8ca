import { Bus, createLogger } from '@sluice/service-kit';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';
import { addressOf, type QuotaOptions } from './quota.ts';

const CONNECT_WITHIN_MS = 3000;
const NS_PER_MS = 1e6;

interface Shown {
  readonly service: string;
  readonly instance: string;
  readonly started: string;
  readonly endpoints: readonly {
    readonly subject: string;
    readonly requests: number;
    readonly errors: number;
    readonly lastError: string;
    readonly averageMs: number;
  }[];
}

/** Every process that is on the bus, what it answers there and how that went, by NATS' own discovery of services. */
export const services = async (options: Omit<QuotaOptions, 'redis'>, io: Surroundings): Promise<number> => {
  const url = addressOf(io, options, 'nats');
  const { NATS_USER: user, NATS_PASSWORD: password, NATS_CREDS: creds } = io.env;
  const bus = Bus.open({
    ...{ url, name: 'sluice-services', part: 'operator' as const, user, password, creds },
    logger: createLogger({ service: 'cli', instance: 'cli', level: 'silent' }),
  });
  try {
    if (!(await isConnected(bus))) {
      const host = URL.parse(url)?.host ?? 'the server';
      const remedy = 'start the gateway with npm start, or give --nats';
      return refuse(io, EXIT.environment, `nats at ${host} does not answer: ${remedy}`, options);
    }
    const found = await discovered(bus);
    for (const one of found)
      if (options.json) printJson(io.out, one);
      else for (const line of linesOf(one, io)) printLine(io.out, line);
    if (found.length > 0) return EXIT.ok;
    return refuse(io, EXIT.environment, 'no process of a gateway answers on this bus', options);
  } finally {
    await bus.close();
  }
};

const isConnected = async (bus: Bus): Promise<boolean> => {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), CONNECT_WITHIN_MS);
  const there = bus.connection.then(
    () => true,
    () => false,
  );
  const answer = await Promise.race([there, late.promise]);
  clearTimeout(timer);
  return answer;
};

const discovered = async (bus: Bus): Promise<Shown[]> => {
  const connection = await bus.connection;
  const found: Shown[] = [];
  for await (const { name, id, metadata, started, endpoints } of await connection.services.client().stats())
    found.push({
      ...{ service: name, instance: metadata?.instance ?? id, started },
      endpoints: (endpoints ?? []).map(
        ({ subject, num_requests, num_errors, last_error = '', average_processing_time }) => ({
          ...{ subject, requests: num_requests, errors: num_errors, lastError: last_error },
          averageMs: average_processing_time / NS_PER_MS,
        }),
      ),
    });
  return found.sort((a, b) => `${a.service} ${a.instance}`.localeCompare(`${b.service} ${b.instance}`));
};

const linesOf = ({ service, instance, started, endpoints }: Shown, io: Surroundings): string[] => [
  paint(io.out, 'bold', printable(`${service}  ${instance}  since ${started}`)),
  ...endpoints.map(({ subject, requests, errors, lastError, averageMs }) => {
    const failed = errors === 0 ? '' : `  ${errors} failed (${lastError})`;
    return printable(`  ${subject.padEnd(28)}${requests} asked, ${averageMs.toFixed(2)} ms each${failed}`);
  }),
];
