import { ConfigState } from '@sluice/gateway-config';
import type { JetStream } from '@sluice/service-kit';
import { LogReader } from './log-reader.ts';
import { type Replica, startOf } from './position.ts';
import { advance } from './rebuild.ts';

const IN_FLIGHT = 32; // direct gets

/**
 * The state right after a sequence of the log: from `from` when that is not later (its state is changed), else
 * from the newest snapshot not later, else from the start of the epoch. It may stand later than asked when a
 * commit on the way kept its state in a snapshot that has been replaced since.
 */
export const stateAt = async (
  jetstream: JetStream,
  epoch: string,
  seq: number,
  from?: Replica,
): Promise<Replica> => {
  const log = new LogReader(jetstream);
  const isUsable = (base: Replica | undefined): base is Replica =>
    base !== undefined && base.position.epoch === epoch && base.position.seq <= seq;
  let replica: Replica | undefined = isUsable(from) ? from : undefined;
  if (replica === undefined) {
    const newest = await log.newestSnapshot(epoch);
    replica = isUsable(newest) ? newest : { state: new ConfigState(), position: startOf(epoch) };
  }
  while (replica.position.seq < seq) {
    const after: number = replica.position.seq;
    const count = Math.min(seq - after, IN_FLIGHT);
    const seqs = Array.from({ length: count }, (_, index) => after + 1 + index);
    const entries = await Promise.all(seqs.map(async (at) => ({ at, commit: await log.at(at) })));
    for (const { at, commit } of entries)
      if (at > replica.position.seq) replica = await advance(log, replica, at, commit);
  }
  return replica;
};
