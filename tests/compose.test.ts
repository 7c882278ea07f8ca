import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { Settings as Auth } from '../services/auth/src/settings.ts';
import { Settings as Registry } from '../services/config-registry/src/settings.ts';
import { Settings as Edge } from '../services/edge-proxy/src/settings.ts';
import { Settings as Mirror } from '../services/quota-mirror/src/settings.ts';
import { Settings as Limits } from '../services/ratelimit/src/settings.ts';

const DEPLOY = join(import.meta.dirname, '../deploy');
const textOf = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');
const SETTINGS = {
  ...{ 'edge-proxy': Edge, auth: Auth, ratelimit: Limits },
  ...{ 'quota-mirror': Mirror, 'config-registry': Registry },
};
/** By the configuration itself, and by its warnings about Redis. */
const READ_OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  auth: ['LOGTO_ISSUER'],
  'config-registry': ['REDIS_URL'],
};
/** Servers whose `command` or image says which file they read. */
const CONFIGURED_BY = /\/etc\/(nats|redis)\/[\w.-]+\.conf/g;

const Service = z.strictObject({
  build: z
    .strictObject({
      context: z.literal('..'),
      dockerfile: z.string(),
      args: z.strictObject({ SERVICE: z.string() }),
    })
    .optional(),
  image: z
    .string()
    .regex(/^[\w./-]+:[\w.-]+$/)
    .optional(),
  command: z.array(z.string()).optional(),
  profiles: z.array(z.enum(['dev', 'observability'])).optional(),
  restart: z.literal('unless-stopped').optional(),
  networks: z.array(z.string()),
  read_only: z.literal(true).optional(),
  cap_drop: z.tuple([z.literal('ALL')]).optional(),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean() })).optional(),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string().regex(/^(127\.0\.0\.1:)?\d+:\d+$/)).default([]),
  secrets: z.array(z.strictObject({ source: z.string(), target: z.string() })).default([]),
  deploy: z.strictObject({ replicas: z.int().min(2) }).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: z
    .strictObject({ test: z.array(z.string()), interval: z.string(), timeout: z.string(), retries: z.int() })
    .optional(),
});
const File = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), Service),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.strictObject({})),
  secrets: z.record(z.string(), z.strictObject({ environment: z.string() })).default({}),
});

const composeOf = (file: string) => {
  const all = Object.entries(parse(textOf(file), { merge: true }) as Record<string, unknown>);
  return File.parse(Object.fromEntries(all.filter(([name]) => !name.startsWith('x-'))));
};

const folder = mkdtempSync(join(tmpdir(), 'sluice-compose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(['compose.yaml', 'compose.cluster.yaml'])('%s', (file) => {
  const compose = composeOf(file);
  const services = Object.entries(compose.services);

  test('has the five services, and whoever waits for another names one that says when it is healthy', () => {
    const built = services.filter(([, { build }]) => build !== undefined);
    expect(built.map(([name]) => name).sort()).toEqual(Object.keys(SETTINGS).sort());
    for (const [name, { build, image, depends_on: others }] of services) {
      expect((build === undefined) !== (image === undefined), name).toBe(true);
      if (build !== undefined) expect(build.args.SERVICE).toBe(name);
      for (const other of Object.keys(others))
        expect(compose.services[other]?.healthcheck, `${name}: ${other}`).toBeDefined();
    }
  });

  test('mounts what is there, on networks and volumes that it has', () => {
    for (const [name, { volumes, networks, secrets }] of services) {
      for (const network of networks) expect(Object.keys(compose.networks), name).toContain(network);
      for (const { source } of secrets) expect(Object.keys(compose.secrets), name).toContain(source);
      for (const [source = '', target] of volumes.map((one) => one.split(':')))
        if (source.startsWith('.')) expect(existsSync(join(DEPLOY, source)), `${name}: ${source}`).toBe(true);
        else if (target !== undefined) expect(Object.keys(compose.volumes), name).toContain(source);
    }
    for (const [name, { command = [] }] of services)
      for (const [path] of command.join(' ').matchAll(CONFIGURED_BY))
        expect(existsSync(join(DEPLOY, path.slice('/etc/'.length))), `${name}: ${path}`).toBe(true);
  });

  test.each(Object.entries(SETTINGS))('%s gets what it reads, in a form that it takes', (name, settings) => {
    const given = Object.entries(compose.services[name]?.environment ?? {});
    const values = Object.fromEntries(
      given
        .filter(([key]) => !(READ_OTHERWISE[name] ?? []).includes(key))
        .map(([key, value]) => [key, value.replace(/\$\{\w+:-(.*)\}/, '$1').replace(/^\$\{.*\}$/, 'x')])
        .filter(([key, value]) => value !== '' && key !== 'ADMIN_TOKENS'),
    );
    for (const key of Object.keys(values)) expect(Object.keys(settings.shape), name).toContain(key);
    expect(() => settings.parse(values)).not.toThrow();
    expect(values.NATS_USER).toBe(name);
  });

  test.each(Object.keys(SETTINGS))('%s may write to /data alone, and is given time to end', (name) => {
    const { read_only, cap_drop, security_opt, stop_grace_period, environment } =
      compose.services[name] ?? {};
    expect({ read_only, cap_drop, security_opt }).toEqual({
      ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
    });
    const settings = SETTINGS[name as keyof typeof SETTINGS].shape;
    const msOf = (key: string) =>
      key in settings
        ? z.coerce
            .number()
            .parse(environment?.[key] ?? (settings as Record<string, z.ZodType>)[key]?.parse(undefined))
        : 0;
    const drainMs = msOf('DRAIN_TIMEOUT_MS') + msOf('SHUTDOWN_DELAY_MS');
    expect(Number.parseInt(stop_grace_period ?? '10', 10) * 1000).toBeGreaterThanOrEqual(drainMs + 2000);
  });

  test('names on the bus and in Redis addresses are services, and all published ports are different', () => {
    for (const [name, { environment }] of services)
      for (const key of ['NATS_URL', 'REDIS_URL', 'NATS_ROUTES'])
        for (const [, host = ''] of (environment[key] ?? '').matchAll(/([a-z][\w-]*):\d+/g))
          expect(Object.keys(compose.services), `${name}: ${key}`).toContain(host);
    const published = services.flatMap(([, { ports }]) => ports.map((port) => port.split(':').at(-2)));
    expect(new Set(published).size).toBe(published.length);
  });
});

test('profiles: tools for whoever develops, what observes beside it, and the gateway in every one', () => {
  const { services } = composeOf('compose.yaml');
  const of = (profile: string) =>
    Object.keys(services).filter((name) => services[name]?.profiles?.some((one) => one === profile));
  expect(of('dev')).toEqual(['tools']);
  expect(of('observability')).toEqual(['prometheus', 'grafana', 'otel-collector']);
  for (const name of Object.keys(SETTINGS)) expect(services[name]?.profiles, name).toBeUndefined();
});

test('the cluster is three NATS servers, two of Redis watched by three sentinels, three edges and two of each other service', () => {
  const { services } = composeOf('compose.cluster.yaml');
  const named = (prefix: string) => Object.keys(services).filter((name) => name.startsWith(prefix));
  expect(['nats-', 'redis-', 'sentinel-'].map((prefix) => named(prefix).length)).toEqual([3, 2, 3]);
  expect(
    Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, services[name]?.deploy?.replicas])),
  ).toEqual({ 'edge-proxy': 3, auth: 2, ratelimit: 2, 'quota-mirror': 2, 'config-registry': 2 });
  expect(services).toHaveProperty('haproxy');
});

test('HAProxy sends to ports that the services of the cluster listen on, to as many as there are', () => {
  const { services } = composeOf('compose.cluster.yaml');
  const config = textOf('haproxy/haproxy.cfg');
  const backends = [...config.matchAll(/port (\d+) [^\n]*\n\s*server-template \w+ (\d+) ([\w-]+):(\d+)/g)];
  expect(backends).toHaveLength(3);
  for (const [, status, count, name = '', port] of backends) {
    const { environment = {}, deploy } = services[name] ?? {};
    expect(environment.STATUS_PORT).toBe(status);
    expect([environment.PROXY_PORT, environment.TLS_PORT, environment.ADMIN_PORT]).toContain(port);
    expect(deploy?.replicas).toBe(Number(count));
  }
  for (const port of services.haproxy?.ports ?? [])
    expect(config).toContain(`bind :${port.split(':').at(-1)}\n`);
});

test('Grafana finds its dashboards and Prometheus, and the collector is where traces are sent', () => {
  const { services } = composeOf('compose.yaml');
  const sources = parse(textOf('grafana/provisioning/datasources/prometheus.yaml')) as {
    datasources: { url: string }[];
  };
  expect(sources.datasources.map(({ url }) => new URL(url).hostname)).toEqual(['prometheus']);
  const { providers } = parse(textOf('grafana/provisioning/dashboards/sluice.yaml')) as {
    providers: { options: { path: string } }[];
  };
  const mounted = services.grafana?.volumes.map((volume) => volume.split(':')[1]);
  expect(mounted).toContain(providers[0]?.options.path);
  const [, endpoint = ''] = /ENDPOINT=(\S+)/.exec(textOf('traces.env')) ?? [];
  const collector = parse(textOf('otel-collector.yaml')) as {
    receivers: { otlp: { protocols: { http: { endpoint: string } } } };
  };
  expect(Object.keys(services)).toContain(new URL(endpoint).hostname);
  expect(collector.receivers.otlp.protocols.http.endpoint).toMatch(new RegExp(`:${new URL(endpoint).port}$`));
});

test('Prometheus asks ports that the services listen on', () => {
  const { services } = composeOf('compose.yaml');
  const { scrape_configs: jobs } = parse(textOf('prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const targets = jobs.flatMap((job) => job.static_configs.flatMap((one) => one.targets));
  expect(targets).toHaveLength(4); // edges are asked through config-registry
  for (const target of targets) {
    const [name = '', port] = target.split(':');
    const { STATUS_PORT, ADMIN_PORT } = services[name]?.environment ?? {};
    expect([STATUS_PORT, ADMIN_PORT], target).toContain(port);
  }
});

const PATH = [process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(delimiter);
const isThere = (tool: string): boolean => PATH.split(delimiter).some((dir) => existsSync(join(dir, tool)));

test.skipIf(!isThere('haproxy'))('haproxy takes its configuration, and refuses a wrong one', () => {
  const check = (file: string) =>
    execFileSync('haproxy', ['-c', '-f', file], { stdio: 'pipe', env: { PATH } });
  check(join(DEPLOY, 'haproxy/haproxy.cfg'));
  const wrong = join(folder, 'haproxy.cfg');
  writeFileSync(
    wrong,
    textOf('haproxy/haproxy.cfg').replace('default_backend edges\n', 'default_backend none\n'),
  );
  expect(() => check(wrong)).toThrow();
});

test.skipIf(!isThere('promtool'))('Prometheus takes its configuration and rules', () => {
  const token = join(folder, 'token');
  writeFileSync(token, 'x');
  writeFileSync(
    join(folder, 'prometheus.yml'),
    textOf('prometheus.yml')
      .replace('/etc/prometheus/sluice-token', token)
      .replace('prometheus/rules.yml', join(folder, 'rules.yml')),
  );
  copyFileSync(join(DEPLOY, 'prometheus/rules.yml'), join(folder, 'rules.yml'));
  execFileSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')], {
    stdio: 'pipe',
    env: { PATH },
  });
});
