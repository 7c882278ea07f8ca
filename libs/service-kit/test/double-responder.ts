import { silentLogger } from '@sluice/testkit';
import { answerBatch, Bus } from '../src/index.ts';
import { double } from './double.ts';

/** A responder in a process of its own, so that a test can freeze it: `double-responder.ts <NATS URL> <subject>`. */
const [, , url = '', subject = ''] = process.argv;
const bus = Bus.open({ url, name: 'responder', logger: silentLogger() });
answerBatch(bus, double(subject), silentLogger(), ({ n }) =>
  Promise.resolve({ outcome: 'allow' as const, doubled: 2 * n }),
);
await (await bus.connection).flush();
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
