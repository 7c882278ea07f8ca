import type { JetStream } from '@sluice/service-kit';
import { close, listen } from '../demo/listen.ts';
import { dataDirOf, readRunFile } from '../run-file.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { tryBadPort } from '../tour/canary.ts';
import { addTour, removeTour, TourRefused } from '../tour/configuration.ts';
import { limitFor, SCENES } from '../tour/scenes.ts';
import { Stage } from '../tour/stage.ts';
import { driveTraffic } from '../tour/traffic.ts';
import { createBrokenUpstream, createMoodyUpstream } from '../tour/upstream.ts';
import { NotReached, openJetStream } from './quota.ts';

export interface DemoOptions {
  /** Seconds. */
  readonly for: number;
  /** Requests a second. */
  readonly rate: number;
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Three tenants before a gateway that `sluice up` has started: a limit, a quota, an upstream and a canary have their scenes. */
export const demo = async (options: DemoOptions, io: Surroundings): Promise<number> => {
  const run = readRunFile(dataDirOf(io, options.dataDir));
  if (run === undefined)
    return refuse(io, EXIT.environment, 'no gateway runs here: start one with npm start', options);
  try {
    await using open = await openJetStream(run.nats);
    const stage = await play(options, io, { proxy: run.proxy, jetstream: open.jetstream });
    tellEnd(stage, options, io);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof TourRefused || error instanceof NotReached)) throw error;
    return refuse(io, EXIT.environment, error.message, options);
  }
};

/** From the first entity that is added to the last one that is removed, also where somebody stops it in between. */
const play = async (
  options: DemoOptions,
  io: Surroundings,
  { proxy, jetstream }: { proxy: string; jetstream: JetStream },
): Promise<Stage> => {
  const { for: seconds, rate } = options;
  const { server, mood } = createMoodyUpstream();
  const broken = createBrokenUpstream();
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const say = options.json ? () => undefined : (line: string) => printLine(io.out, line);
  const [port, badPort] = await Promise.all([listen(server, 0), listen(broken, 0)]);
  const tryCanary = () => tryBadPort(options, io, { port, badPort, signal: stopping.signal });
  const stage = new Stage({ say, jetstream, mood, tryCanary });
  try {
    await addTour(options, io, { port, limit: limitFor(rate, seconds) });
    const tenants = Object.values(SCENES).map(({ tenant }) => tenant);
    say(`${tenants.join(', ')}: ${rate} requests a second for ${seconds} s. Ctrl-C ends it earlier.`);
    await driveTraffic({
      ...{ proxy, rate, seconds, signal: stopping.signal },
      ...{ onAnswer: stage.onAnswer, onTime: stage.onTime, isOver: stage.isOver },
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    await removeTour(options, io);
    for (const one of [server, broken]) {
      one.closeAllConnections();
      await close(one);
    }
  }
  return stage;
};

const tellEnd = ({ sums, seen }: Stage, options: DemoOptions, io: Surroundings): void => {
  if (options.json) {
    printJson(io.out, { tenants: sums, seen: [...seen] });
    return;
  }
  printLine(io.out, paint(io.out, 'bold', 'What they got:'));
  for (const [tenant, byStatus] of Object.entries(sums)) {
    const counts = Object.entries(byStatus).map(([status, count]) => `${count} × ${status}`);
    printLine(io.out, `    ${tenant}  ${counts.join(', ')}`);
  }
  printLine(io.out, 'The configuration is as it was.');
};
