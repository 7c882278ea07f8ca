import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { addressOf, NotReached, openJetStream, openRedis, type QuotaOptions } from './quota.ts';
import { compare, type Difference } from './quota-compare.ts';

interface ReconcileOptions extends QuotaOptions {
  readonly prefix?: string;
}

const SHOWN = 50;
/** What is on its way when it is looked at is no difference: one that stays is looked at so often. */
const LOOKS = 3;
const BETWEEN_LOOKS_MS = 1000;

/** Proves that Redis holds what the streams say; changes nothing. */
export const reconcile = async (options: ReconcileOptions, io: Surroundings): Promise<number> => {
  try {
    await using nats = await openJetStream(addressOf(io, options, 'nats'));
    using redis = await openRedis(addressOf(io, options, 'redis'));
    const where = { ...nats, ...redis, prefix: options.prefix ?? 'quota:tenant:' };
    let result = await compare(where);
    for (let look = 1; look < LOOKS && result.differences.length > 0; look++) {
      await new Promise((done) => setTimeout(done, BETWEEN_LOOKS_MS));
      const before = new Set(result.differences.map(keyOf));
      result = await compare(where);
      result = { ...result, differences: result.differences.filter((one) => before.has(keyOf(one))) };
    }
    const isEqual = result.differences.length === 0;
    if (options.json) printJson(io.out, { equal: isEqual, ...result });
    else {
      for (const { tenant, field, redis: held, stream } of result.differences.slice(0, SHOWN))
        printLine(io.out, `${tenant}  ${field}: Redis ${held ?? 'nothing'}, stream ${stream ?? 'nothing'}`);
      const mark = isEqual ? paint(io.out, 'green', '✔') : paint(io.out, 'red', '✖');
      const { tenants, sums, expired, differences } = result;
      printLine(
        io.out,
        `${mark} ${tenants} states and ${sums} sums compared, ${expired} expired, ${differences.length} differences`,
      );
      if (!isEqual)
        printLine(
          io.out,
          'to fill Redis again from the streams: redis-cli DEL quota:meta:loaded (while a mirror runs)',
        );
    }
    return isEqual ? EXIT.ok : EXIT.changes;
  } catch (error) {
    if (error instanceof NotReached) return refuse(io, EXIT.environment, error.message, options);
    if ((error as { code?: string }).code === '404')
      return refuse(io, EXIT.environment, 'the streams are not there: no quota-mirror ran here', options);
    throw error;
  }
};

const keyOf = ({ tenant, field }: Difference): string => `${tenant} ${field}`;
