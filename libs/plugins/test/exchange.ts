import type { GatewayError, PromptFlag } from '@sluice/contracts';
import type { Exchange, HeaderList, Identity } from '../src/exchange.ts';
import type { LogRecord, LogSink, SinkEntry } from '../src/log-sink.ts';
import type { PluginScope } from '../src/plugin.ts';
import type { Ports, StoredAnswer } from '../src/ports.ts';
import type { ShadowSkip, ShadowTerms } from '../src/shadow-terms.ts';
import type { Instrument, Timeline } from '../src/trace-timeline.ts';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Headers in memory, with the edge's meaning of each method. */
export const headerList = (headers: Headers = {}): HeaderList => {
  let lines: (readonly [string, string])[] = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : [...value]).map((one) => [name, one] as const),
  );
  const is = (name: string) => {
    const lower = name.toLowerCase();
    return ([other]: readonly [string, string]) => other.toLowerCase() === lower;
  };
  const list: HeaderList = {
    get: (name) => lines.find(is(name))?.[1],
    getAll: (name) => lines.filter(is(name)).map(([, value]) => value),
    has: (name) => lines.some(is(name)),
    isRepeated: (name) => lines.filter(is(name)).length > 1,
    set: (name, value) => {
      list.delete(name);
      lines.push([name, value]);
    },
    append: (name, value) => {
      lines.push([name, value]);
    },
    delete: (name) => {
      lines = lines.filter((line) => !is(name)(line));
    },
    entries: () => lines,
  };
  return list;
};

/** Every line as an object with lower-case names; repeated names are joined by `, `. */
export const seen = (headers: HeaderList): Record<string, string> => {
  const all: Record<string, string> = {};
  for (const [name, value] of headers.entries()) {
    const lower = name.toLowerCase();
    all[lower] = lower in all ? `${all[lower]}, ${value}` : value;
  }
  return all;
};

export interface Given {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly headers?: Headers;
  /** What came from the upstream, for the response phase. */
  readonly answered?: Headers;
  readonly body?: string | Buffer;
  readonly identity?: Partial<Identity>;
  readonly uriCaptures?: Record<string, string>;
  readonly clientIp?: string;
  readonly startedAt?: number;
}

export type TestExchange = Exchange & {
  sentBody: Buffer | undefined;
  bodyLimit: { maxBytes: number; refusal: GatewayError } | undefined;
};

export const identityOf = (identity: Partial<Identity>): Identity => ({
  consumer: undefined,
  credential: undefined,
  tenantId: undefined,
  platformId: undefined,
  userId: undefined,
  ...identity,
});

/** A request in memory. `sentBody` is what would go upstream. */
export const testExchange = (given: Given = {}): TestExchange => {
  const { method = 'GET', target = '/', host = 'gateway.test', headers = {} } = given;
  const [path = '/', query = ''] = target.split('?');
  const body = Buffer.from(given.body ?? '');
  const exchange: TestExchange = {
    id: '0'.repeat(32),
    traceId: '1'.repeat(32),
    method,
    scheme: 'http',
    host,
    port: 8000,
    rawTarget: target,
    path,
    query,
    clientIp: given.clientIp ?? '192.0.2.1',
    connection: { remotePort: 50_000, serial: 7, requests: 3 },
    startedAt: given.startedAt ?? 1_700_000_000_123,
    fromClient: headerList(headers),
    route: undefined,
    service: undefined,
    uriCaptures: given.uriCaptures ?? {},
    identity: given.identity === undefined ? undefined : identityOf(given.identity),
    toUpstream: headerList(headers),
    upstreamPath: path,
    upstreamQuery: query,
    upstreamMethod: method,
    readBody: async (maxBytes) => (body.length > maxBytes ? undefined : body),
    startOfBody: async () => body.subarray(0, 16),
    replaceBody: (replaced) => {
      exchange.sentBody = replaced;
    },
    sentBody: body,
    limitBody: (maxBytes, refusal) => {
      exchange.bodyLimit = { maxBytes, refusal };
    },
    bodyLimit: undefined,
    toClient: headerList(given.answered),
    upstream: undefined,
    memo: new Map(),
  };
  return exchange;
};

export interface TestPorts extends Ports {
  readonly counted: string[];
  readonly flags: PromptFlag[];
  readonly logged: { level: string; message: string }[];
  /** What was stored, by key; `keepSeconds` beside it. */
  readonly stored: Map<string, StoredAnswer & { keepSeconds: number }>;
  /** Units counted, by key and period. */
  readonly units: Map<string, number>;
  readonly written: { sinkKey: string; sink: LogSink; record: LogRecord }[];
  readonly sent: { sinkKey: string; sink: LogSink; entry: SinkEntry }[];
  readonly adopted: Parameters<Ports['adoptTrace']>[1][];
  /** What became of copies, in order. */
  readonly copies: (ShadowSkip | 'opened' | 'watched' | 'sent')[];
  readonly terms: ShadowTerms[];
  /** Arguments of verifyCredential, spendBudget and readQuota, in order. */
  readonly asked: unknown[];
}

export const UUID = '11111111-2222-4333-8444-555555555555';

/** Ports that answer what the test says; what it does not mention must not be asked. */
export const testPorts = (
  answers: {
    verify?: Awaited<ReturnType<Ports['verifyCredential']>>;
    budget?: Awaited<ReturnType<Ports['spendBudget']>>;
    quota?: Awaited<ReturnType<Ports['readQuota']>>;
    record?: LogRecord;
    consumers?: readonly NonNullable<Identity['consumer']>[];
    groups?: readonly string[];
    timeline?: Timeline;
    tracing?: { rate?: number; instruments?: readonly Instrument[] };
  } = {},
): TestPorts => {
  const unexpected = (what: string): never => {
    throw new Error(`the plugin must not ask for ${what} here`);
  };
  const ports: TestPorts = {
    counted: [],
    flags: [],
    logged: [],
    asked: [],
    stored: new Map(),
    units: new Map(),
    written: [],
    sent: [],
    adopted: [],
    copies: [],
    terms: [],
    recallAnswer: (key) => ports.stored.get(key),
    rememberAnswer: (key, answer, keepSeconds) => {
      ports.stored.set(key, { ...answer, keepSeconds });
    },
    countedUnits: (key, period) => ports.units.get(`${key}:${period}`) ?? 0,
    countUnits: (key, periods, units) => {
      for (const period of periods)
        ports.units.set(`${key}:${period}`, ports.countedUnits(key, period) + units);
    },
    logRecord: () => answers.record ?? unexpected('a log record'),
    writeLog: (sinkKey, sink, record) => {
      ports.written.push({ sinkKey, sink, record });
    },
    verifyCredential: (_, pluginId, credential) => {
      ports.asked.push(pluginId, credential);
      return answers.verify === undefined ? unexpected('a credential') : (answers.verify as never);
    },
    ...(answers.consumers && {
      findConsumer: (key: string) =>
        answers.consumers?.find(({ id, username }) => key === id || key === username),
    }),
    ...(answers.groups && { groupsOf: () => answers.groups ?? [] }),
    spendBudget: (_, key, limits) => {
      ports.asked.push(key, limits);
      return answers.budget ?? unexpected('a budget');
    },
    readQuota: (_, key) => {
      ports.asked.push(key);
      return 'quota' in answers ? answers.quota : unexpected('a quota');
    },
    count: (metric) => {
      ports.counted.push(metric);
    },
    flag: (_, finding) => {
      ports.flags.push(finding);
    },
    log: (level, message) => {
      ports.logged.push({ level, message });
    },
    send: (sinkKey, sink, entry) => {
      ports.sent.push({ sinkKey, sink, entry });
    },
    tracing: {
      samplingRate: answers.tracing?.rate ?? 1,
      has: (one) => answers.tracing?.instruments?.includes(one) ?? true,
    },
    adoptTrace: (_, trace) => {
      ports.adopted.push(trace);
    },
    timeline: () => answers.timeline ?? unexpected('a timeline'),
    shadow: {
      skip: (_, reason) => {
        ports.copies.push(reason);
      },
      open: (_, terms) => {
        ports.copies.push('opened');
        ports.terms.push(terms);
        return {
          watchAnswer: () => ports.copies.push('watched'),
          drop: (reason) => ports.copies.push(reason),
          send: () => ports.copies.push('sent'),
        };
      },
    },
    uuid: () => UUID,
  };
  return ports;
};

export const GLOBAL: PluginScope = { pluginId: 'p1', routeId: null, serviceId: null, consumerId: null };
