import { Ports, takenMessage } from './ports.ts';
import { DEMO_UPSTREAMS, type DemoUpstream, type RunPorts } from './services.ts';

export interface PortWishes {
  /** 0: any free port, and then every other port is chosen freely, too. */
  readonly proxyPort: number;
  readonly adminPort: number;
  /** 0: any free port. Undefined: the usual one beside the usual plain port, if it is free. */
  readonly tlsPort: number | 'off' | undefined;
  readonly adminTlsPort: number | 'off' | undefined;
  readonly edges: number;
  readonly demo: boolean;
  /** False when the operator gave a URL. */
  readonly startsNats: boolean;
  readonly startsRedis: boolean;
}

export interface ChosenPorts extends RunPorts {
  readonly nats?: number;
  readonly redis?: number;
}

export type PortChoice =
  | { ok: true; ports: ChosenPorts /** What was left off, and why. */; notes: readonly string[] }
  | { ok: false; message: string };

const FIRST_STATUS_PORT = 8100;
const ISSUER_PORT = 3001;
const NATS_PORT = 4222;
const REDIS_PORT = 6379;

/** A TLS port, and the plain port beside which it is on without being asked for. */
interface TlsPort {
  readonly wish: number | 'off' | undefined;
  readonly usual: number;
  readonly isBesideUsual: boolean;
  readonly purpose: string;
  readonly flag: string;
}

class Taken extends Error {}

const claim = async (ports: Ports, port: number, purpose: string, remedy: string): Promise<number> => {
  if (port === 0) return ports.anyFree();
  const claimed = await ports.claim(port);
  if (claimed === undefined) throw new Taken(takenMessage(port, purpose, remedy));
  return claimed;
};

/** Undefined: TLS is off there. */
const tlsPort = async (
  ports: Ports,
  { wish, usual, isBesideUsual, purpose, flag }: TlsPort,
  notes: string[],
): Promise<number | undefined> => {
  if (wish === 'off' || (wish === undefined && !isBesideUsual)) return undefined;
  const remedy = `choose another one with ${flag}`;
  if (wish !== undefined) return claim(ports, wish, purpose, remedy);
  const claimed = await ports.claim(usual);
  if (claimed === undefined) notes.push(`TLS is off: ${takenMessage(usual, purpose, remedy)}`);
  return claimed;
};

const tlsPorts = async (ports: Ports, wishes: PortWishes, notes: string[]): Promise<RunPorts['tls']> => {
  const proxy = await tlsPort(
    ports,
    {
      wish: wishes.tlsPort,
      usual: 8443,
      isBesideUsual: wishes.proxyPort === 8000,
      purpose: 'proxy TLS',
      flag: '--tls-port',
    },
    notes,
  );
  const admin = await tlsPort(
    ports,
    {
      wish: wishes.adminTlsPort,
      usual: 8444,
      isBesideUsual: wishes.adminPort === 8001,
      purpose: 'admin TLS',
      flag: '--admin-tls-port',
    },
    notes,
  );
  return { ...(proxy === undefined ? {} : { proxy }), ...(admin === undefined ? {} : { admin }) };
};

type Optional = (preferred: number) => Promise<number>;

const demoPorts = async (ports: Ports, isFree: boolean, optional: Optional): Promise<RunPorts['demo']> => {
  const upstreams: Partial<Record<DemoUpstream, number>> = {};
  for (const [name, port] of Object.entries(DEMO_UPSTREAMS)) {
    const remedy = 'start without the demo upstreams by --no-demo';
    upstreams[name as DemoUpstream] = await claim(ports, isFree ? 0 : port, `demo ${name}`, remedy);
  }
  return { upstreams: upstreams as Record<DemoUpstream, number>, issuer: await optional(ISSUER_PORT) };
};

const choose = async (wishes: PortWishes, notes: string[]): Promise<ChosenPorts> => {
  const ports = new Ports();
  const isFree = wishes.proxyPort === 0 || wishes.adminPort === 0;
  const optional: Optional = (preferred) => (isFree ? ports.anyFree() : ports.preferring(preferred));
  const proxy = await claim(ports, wishes.proxyPort, 'proxy', 'choose another one with --proxy-port');
  const admin = await claim(ports, wishes.adminPort, 'admin', 'choose another one with --admin-port');
  const tls = await tlsPorts(ports, wishes, notes);
  const demo = wishes.demo ? await demoPorts(ports, isFree, optional) : undefined;
  const edges = [await optional(FIRST_STATUS_PORT)];
  const status = {
    auth: await optional(FIRST_STATUS_PORT + 1),
    ratelimit: await optional(FIRST_STATUS_PORT + 2),
    quotaMirror: await optional(FIRST_STATUS_PORT + 3),
    registry: await ports.anyFree(),
  };
  while (edges.length < wishes.edges) edges.push(await ports.anyFree());
  return {
    proxy,
    admin,
    tls,
    status: { edges, ...status },
    ...(demo === undefined ? {} : { demo }),
    ...(wishes.startsNats ? { nats: await optional(NATS_PORT) } : {}),
    ...(wishes.startsRedis ? { redis: await optional(REDIS_PORT) } : {}),
  };
};

/** All ports of a run; or which one is taken, by whom, and the flag that moves it. */
export const choosePorts = async (wishes: PortWishes): Promise<PortChoice> => {
  try {
    const notes: string[] = [];
    return { ok: true, ports: await choose(wishes, notes), notes };
  } catch (error) {
    if (error instanceof Taken) return { ok: false, message: error.message };
    throw error;
  }
};
