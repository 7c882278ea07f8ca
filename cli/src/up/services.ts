import { join } from 'node:path';
import { type BusPasswords, busLoginOf } from './bus-passwords.ts';
import type { ProcessPlan } from './supervised.ts';

export const HOST = '127.0.0.1';

export const DEMO_UPSTREAMS = {
  'agent-orchestrator': 8083,
  'knowledge-rag': 8084,
  integrations: 8085,
  llmops: 8081,
} as const;
export type DemoUpstream = keyof typeof DEMO_UPSTREAMS;

/** Every port of a run, chosen before anything starts. */
export interface RunPorts {
  readonly proxy: number;
  readonly admin: number;
  /** By TLS; absent: off. */
  readonly tls: { readonly proxy?: number; readonly admin?: number };
  readonly status: {
    readonly edges: readonly number[];
    readonly auth: number;
    readonly ratelimit: number;
    readonly quotaMirror: number;
    readonly registry: number;
  };
  readonly demo?: { readonly upstreams: Readonly<Record<DemoUpstream, number>>; readonly issuer: number };
}

export interface ServicesSetup {
  readonly root: string;
  readonly dataDir: string;
  /** Address on which clients are served, by the proxy and the Admin API; everything else is on the loopback. */
  readonly host: string;
  /** Who may use the Admin API; absent: what the operator's environment says. */
  readonly adminTokens?: string | undefined;
  /** Of the operator: passed through, so that OTEL_* and vault references reach the services. */
  readonly env: NodeJS.ProcessEnv;
  readonly natsUrl: string;
  /** Absent: the bus is the operator's, and so is the login in its URL or in the environment. */
  readonly busPasswords?: BusPasswords | undefined;
  readonly redisUrl: string;
  readonly pluginsDir: string | undefined;
  readonly ports: RunPorts;
  /** What tenants' API keys are hashed with. */
  readonly apiKeyPepper: string;
  /** What identities for upstreams are signed with. */
  readonly identityKeysFile: string;
}

interface ServicePlan {
  readonly service: string;
  /** Counts from 1. */
  readonly n: number;
  /** Folder of its source; absent: services/<service>/src. */
  readonly source?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
  readonly stopPhase: number;
}

/**
 * Of a process that serves no requests of clients, beside others that do: it collects garbage without helpers, which
 * would take the edges' processors, and seldom, for what a large document is made of stays. See docs/adr/0055.
 */
const REGISTRY_FLAGS = ['--single-threaded-gc', '--max-semi-space-size=64'];

const DRAIN_WITHIN_MS = 15_000; // an edge lets the requests it has finish
const STOP_WITHIN_MS = 5_000;

export const issuerUrlOf = ({ demo }: RunPorts): string | null =>
  demo === undefined ? null : `http://${HOST}:${demo.issuer}/oidc`;

const sharedEnv = ({ root, env, natsUrl, redisUrl, pluginsDir, ports }: ServicesSetup): NodeJS.ProcessEnv => {
  const issuer = issuerUrlOf(ports);
  return {
    LOG_LEVEL: 'info',
    DRAIN_TIMEOUT_MS: '10000', // a person waits at the terminal
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'sluice'), // the same files for every run
    ...env,
    NATS_URL: natsUrl,
    REDIS_URL: redisUrl,
    DECLARATIVE_CONFIG: '', // it is sent when the registry is there
    STATUS_HOST: HOST,
    PLUGINS_DIR: pluginsDir ?? '',
    ...(issuer === null ? {} : { LOGTO_ISSUER: issuer }),
  };
};

/** The starter names a folder with the processes bundled (SLUICE_PROCESSES); else they run from source. */
const mainOf = ({ root, env }: ServicesSetup, service: string, source: string): string =>
  env.SLUICE_PROCESSES ? join(env.SLUICE_PROCESSES, service, 'main.js') : join(root, source, 'main.ts');

const planService = (
  setup: ServicesSetup,
  { service, n, source = join('services', service, 'src'), env, nodeFlags = [], stopPhase }: ServicePlan,
): ProcessPlan => {
  const folder = n === 1 ? service : `${service}-${n}`;
  return {
    process: service,
    instance: `${service}-${n}`,
    command: process.execPath,
    args: [...nodeFlags, mainOf(setup, service, source)],
    env: {
      ...sharedEnv(setup),
      ...(setup.busPasswords === undefined ? {} : busLoginOf(setup.busPasswords, service)),
      DATA_DIR: join(setup.dataDir, folder),
      INSTANCE: `${service}-${n}`,
      ...env,
    },
    cwd: setup.root,
    logFile: join(setup.dataDir, 'logs', `${folder}.log`),
    stopPhase,
    stopWithinMs: stopPhase === 1 ? DRAIN_WITHIN_MS : STOP_WITHIN_MS,
  };
};

/** As curl's --connect-to: what the configuration calls `agent-orchestrator:8083` is reached here. */
const connectTo = (upstreams: Readonly<Record<DemoUpstream, number>>): string =>
  Object.entries(DEMO_UPSTREAMS)
    .map(([name, port]) => `${name}:${port}=${HOST}:${upstreams[name as DemoUpstream]}`)
    .join(',');

/** Empty is off: what the operator's environment says is not for these processes. */
const portText = (port: number | undefined): string => (port === undefined ? '' : `${port}`);

const planEdges = (setup: ServicesSetup): ProcessPlan[] => {
  const { proxy, tls, status, demo } = setup.ports;
  return status.edges.map((statusPort, index) =>
    planService(setup, {
      service: 'edge-proxy',
      n: index + 1,
      env: {
        STATUS_PORT: `${statusPort}`,
        PROXY_HOST: setup.host,
        PROXY_PORT: `${proxy}`,
        TLS_PORT: portText(tls.proxy),
        ...(status.edges.length > 1 ? { REUSE_PORT: 'true' } : {}),
        ...(demo === undefined ? {} : { CONNECT_TO: connectTo(demo.upstreams) }),
      },
      stopPhase: 1,
    }),
  );
};

/** The five services, and the demo when it has ports. */
export const planServices = (setup: ServicesSetup): ProcessPlan[] => {
  const { admin, tls, status, demo } = setup.ports;
  const behind = (
    service: string,
    statusPort: number,
    env: Record<string, string> = {},
    nodeFlags: readonly string[] = [],
  ) =>
    planService(setup, {
      service,
      n: 1,
      env: { STATUS_PORT: `${statusPort}`, ...env },
      nodeFlags,
      stopPhase: 2,
    });
  const plans = [
    behind(
      'config-registry',
      status.registry,
      {
        ADMIN_HOST: setup.host,
        ...(setup.adminTokens === undefined ? {} : { ADMIN_TOKENS: setup.adminTokens }),
        ADMIN_PORT: `${admin}`,
        ADMIN_TLS_PORT: portText(tls.admin),
        API_KEY_PEPPER: setup.apiKeyPepper,
      },
      REGISTRY_FLAGS,
    ),
    ...planEdges(setup),
    behind('auth', status.auth, {
      API_KEY_PEPPER: setup.apiKeyPepper,
      IDENTITY_KEYS_FILE: setup.identityKeysFile,
    }),
    behind('ratelimit', status.ratelimit),
    behind('quota-mirror', status.quotaMirror),
  ];
  if (demo === undefined) return plans;
  const upstreamPorts = Object.entries(demo.upstreams).map(([name, port]) => `${name}=${port}`);
  const env = { ISSUER_PORT: `${demo.issuer}`, UPSTREAM_PORTS: upstreamPorts.join(',') };
  const source = join('cli', 'src', 'demo');
  return [...plans, planService(setup, { service: 'demo', n: 1, source, env, stopPhase: 2 })];
};
