import { zstdCompressSync } from 'node:zlib';
import { type ConfigFollower, followConfig } from '@sluice/config-log';
import { edgeMetrics } from '@sluice/contracts';
import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, silentLogger } from '@sluice/testkit';
import { Settings } from '../src/settings.ts';
import { startRegistry } from '../src/start-registry.ts';

/** A registry in this process, on free ports, with its Admin API's address. */
export const runRegistry = async (
  natsUrl: string,
  { instance = 'registry-1', env = {} }: { instance?: string; env?: Record<string, string> } = {},
) => {
  const logger = silentLogger();
  const bus = Bus.open({ url: natsUrl, name: instance, logger });
  const settings = Settings.parse({ ADMIN_PORT: '0', STATUS_PORT: '0', DRAIN_TIMEOUT_MS: '1000', ...env });
  const registry = await startRegistry({
    settings,
    instance,
    version: '0',
    bus,
    logger,
    environment: {},
  }).catch(async (error: unknown) => {
    await bus.close();
    throw error;
  });
  const admin = `http://127.0.0.1:${registry.adminPort}`;
  return {
    admin,
    registry,
    jetstream: new JetStream(bus),
    bus,
    call: (path: string, init: RequestInit = {}) => fetch(`${admin}${path}`, init),
    send: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      sendTo(`${admin}${path}`, method, body, headers),
    postYaml: (text: string, path = '/config', headers: Record<string, string> = {}) =>
      fetch(`${admin}${path}`, {
        method: 'POST',
        body: text,
        headers: { 'content-type': 'text/yaml', ...headers },
      }),
    async [Symbol.asyncDispose]() {
      await registry.stop();
      await bus.close();
    },
  };
};

/** A request with JSON, or with a form as it is; the answer with its body parsed, undefined when there is none. */
const sendTo = async (url: string, method: string, body: unknown, more: Record<string, string>) => {
  const isForm = body instanceof URLSearchParams || body instanceof FormData;
  const headers = {
    ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    ...more,
  };
  const payload = isForm ? body : JSON.stringify(body);
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: payload }) });
  const text = await answer.text();
  const parsed = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
  return { status: answer.status, headers: answer.headers, body: parsed };
};

/** A follower like an edge proxy's, which answers for its metrics. */
export const runEdge = async (
  natsUrl: string,
  instance: string,
  options: {
    metrics?: string;
    onChange?: (follower: ConfigFollower | undefined) => void;
    candidate?: () => string | undefined;
  } = {},
) => {
  const logger = silentLogger();
  const bus = Bus.open({ url: natsUrl, name: instance, logger });
  const changed = () => options.onChange?.(undefined);
  const follower = followConfig({
    bus,
    jetstream: new JetStream(bus),
    process: 'edge-proxy',
    instance,
    logger,
    ...(options.candidate === undefined ? {} : { candidate: options.candidate }),
    onState: changed,
    onCommit: changed,
  });
  if (options.metrics !== undefined) {
    const text = options.metrics;
    bus.answer(edgeMetrics, ({ accepts = [] }) =>
      accepts.includes('zstd')
        ? { instance, text: '', zstd: zstdCompressSync(text).toString('base64') }
        : { instance, text },
    );
  }
  await (await bus.connection).flush();
  return {
    follower,
    bus,
    async [Symbol.asyncDispose]() {
      follower.stop();
      await bus.close();
    },
  };
};

/** Waits until the registry counts that many edges. */
export const edgesSeen = (registry: { call: (path: string) => Promise<Response> }, count: number) =>
  eventually(async () => {
    const text = await (await registry.call('/metrics')).text();
    return new RegExp(`^sluice_live_edges\\{[^}]*\\} ${count}$`, 'm').test(text);
  });

/** A configuration with so many services, each with a route. */
export const yamlOf = (count: number, host = 'upstream.test'): string =>
  `_format_version: "3.0"\nservices:\n${Array.from(
    { length: count },
    (_, index) =>
      `- name: service-${index}\n  host: ${host}\n  tags: [t${index % 2}, all]\n  routes:\n  - name: route-${index}\n    paths: [/p${index}]\n`,
  ).join('')}`;
