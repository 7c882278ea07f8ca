import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import { EXIT, type Surroundings } from '../surroundings.ts';
import { type Finding, failed, judgeClock, ok, warning } from './finding.ts';

interface Fleet {
  readonly configuration: { readonly epoch: string; readonly version: number; readonly digest: string };
  readonly processes: readonly {
    readonly instance: string;
    readonly process: string;
    readonly epoch: string;
    readonly version: number;
    readonly digest: string;
    readonly refusal?: string;
  }[];
}
interface Traffic {
  readonly data: readonly { readonly instance: string; readonly now?: number }[];
  readonly edges: { readonly live: number; readonly answered: number };
}

const NO_ADMIN = 'start config-registry, or give --admin; edges go on with what they have';

/** Whether the registry answers, and the edges through it; and by how much their clocks differ. */
export const checkAdmin = async (options: AdminOptions, io: Surroundings): Promise<Finding[]> => {
  const askedAt = Date.now();
  const answer = await readAdmin<Traffic>(options, io, '/traffic?seconds=1&top=1');
  const tookMs = Date.now() - askedAt;
  if (!answer.ok) {
    const remedy = answer.exitCode === EXIT.environment ? NO_ADMIN : 'the Admin API is of another version';
    return [failed('config-registry', answer.why, remedy)];
  }
  const { data, edges } = answer.value;
  const clocks = data.flatMap(({ instance, now }) =>
    now === undefined ? [] : [judgeClock(`clock ${instance}`, now, { ours: askedAt, uncertainMs: tookMs })],
  );
  return [ok('config-registry', 'answers'), edgesOf(edges), ...clocks];
};

const edgesOf = ({ live, answered }: Traffic['edges']): Finding => {
  if (live === 0)
    return failed('edges', 'no edge is heard', 'start edge-proxy, and see that it reaches NATS');
  if (answered < live)
    return warning('edges', `${answered} of ${live} answer`, 'look at the logs of the silent ones');
  return ok('edges', `${answered} of ${live} answer`);
};

/** Whether every process stands on the same configuration. */
export const checkFleet = async (options: AdminOptions, io: Surroundings): Promise<Finding[]> => {
  const answer = await readAdmin<Fleet>(options, io, '/fleet');
  if (!answer.ok) return []; // said by the other look
  const { configuration, processes } = answer.value;
  const refusing = processes.filter(({ refusal }) => refusal !== undefined);
  if (refusing.length > 0)
    return refusing.map(({ instance, refusal }) =>
      warning(
        'configuration',
        `${instance} refuses r${configuration.version}: ${refusal}`,
        'correct it and apply again: sluice apply -m "why"',
      ),
    );
  const behind = processes.filter(
    ({ epoch, version, digest }) =>
      epoch !== configuration.epoch || version !== configuration.version || digest !== configuration.digest,
  );
  if (behind.length > 0)
    return behind.map(({ instance, version }) =>
      warning(
        'configuration',
        `${instance} is on r${version} instead of r${configuration.version}`,
        'ask again in a second; if it stays behind, restart it',
      ),
    );
  return [ok('configuration', `r${configuration.version} on all ${processes.length} processes`)];
};
