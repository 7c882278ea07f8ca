import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { call, eventually, freePort } from '@sluice/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildDashboards } from '../deploy/grafana/build-dashboards.ts';
import { DASHBOARDS } from '../deploy/grafana/panels.ts';
// biome-ignore lint/correctness/useImportExtensions: it is JavaScript, see its first lines.
import { findServers } from '../tools/find-servers.mjs';
import { ExplainWorld, tokenOf } from './explain-world.ts';
import { natsClient } from './gateway.ts';

const ROOT = join(import.meta.dirname, '..');
const RULES = join(ROOT, 'deploy/prometheus/rules.yml');
const SERVICES = ['auth', 'ratelimit', 'quota-mirror'] as const;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

let bin: string;
let world: ExplainWorld;
let prometheus: ChildProcess;
let origin: string;
const statusPorts: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'));

beforeAll(async () => {
  const found = findServers({ wanted: ['prometheus'], path: process.env.PATH, say: () => undefined });
  if (!found.ok) throw new Error(`these tests need Prometheus: ${found.message}`);
  bin = dirname(found.paths.prometheus ?? '');
  world = await ExplainWorld.start({ isTraced: true });
  const targets: string[] = [];
  for (const name of SERVICES) {
    const port = await freePort();
    world.gateway.startService(name, { STATUS_PORT: `${port}` });
    targets.push(`127.0.0.1:${port}`);
    statusPorts.push(`http://127.0.0.1:${port}`);
  }
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  prometheus = startPrometheus(port, new URL(world.gateway.ready.admin).host, targets);
  await eventually(async () => expect((await call(origin, '/-/ready')).status).toBe(200));
}, 120_000);
afterAll(async () => {
  if (prometheus?.exitCode === null) {
    prometheus.kill('SIGTERM');
    await once(prometheus, 'exit');
  }
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const startPrometheus = (port: number, admin: string, targets: readonly string[]): ChildProcess => {
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' },
    rule_files: [RULES],
    scrape_configs: [
      { job_name: 'sluice', honor_labels: true, static_configs: [{ targets: [admin] }] },
      { job_name: 'sluice-services', static_configs: [{ targets }] },
    ],
  };
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML, too
  return spawn(
    join(bin, 'prometheus'),
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/data`,
      '--enable-feature=exemplar-storage',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
};

const promtool = (...args: string[]): string =>
  execFileSync(join(bin, 'promtool'), args, { encoding: 'utf8', cwd: dirname(RULES) });

const rules = (): Rule[] =>
  (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  );

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
const query = async (expr: string): Promise<Sample[]> => {
  const answer = await call(origin, `/api/v1/query?query=${encodeURIComponent(expr)}`);
  const { data, error } = answer.json<{ data?: { result: Sample[] }; error?: string }>();
  if (data === undefined) throw new Error(`${expr}: ${error}`);
  return data.result;
};

/** Traffic of every kind that a dashboard shows. */
const makeTraffic = async (): Promise<void> => {
  const { proxy } = world.gateway.ready;
  const guarded = { headers: { authorization: `Bearer ${tokenOf()}` } };
  for (let i = 0; i < 4; i++) {
    await call(proxy, '/open', { headers: { 'x-tenant-id': `tenant-${i}` } });
    await call(proxy, '/limited', { headers: { 'x-tenant-id': 'tenant-1' } });
    await call(proxy, '/guarded', guarded);
  }
  await call(proxy, '/guarded');
  await call(proxy, '/dead');
};

/** Names of metrics in an expression: words that are no functions, labels or operators. */
const namesIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:sluice|kong|process)_[a-z_]+\b/g)].map(([name]) => name);

/** What an edge and the services behind export, families without series, too. */
const ownTexts = async (): Promise<string[]> => {
  const connection = await connect(natsClient(world.gateway.ready.nats));
  const { text } = (await connection.request('edge.v1.metrics', '{}')).json<{ text: string }>();
  await connection.close();
  return [text, ...(await Promise.all(statusPorts.map(async (port) => (await call(port, '/metrics')).text)))];
};

const PARSE_ERROR = 1;
/** Kong's names are Kong's, whatever the lint thinks of them. */
const isNamedByOthers = (line: string): boolean => /^kong_|^sluice_overload_lag_ms /.test(line);

test('promtool finds no fault with the rules, and each alert fires on what it is meant for', () => {
  expect(promtool('check', 'rules', RULES)).toContain(`SUCCESS: ${rules().length} rules found`);
  expect(promtool('test', 'rules', 'rules.test.yml')).toContain('SUCCESS');
  const tested = readFileSync(join(dirname(RULES), 'rules.test.yml'), 'utf8');
  for (const { alert } of rules()) expect(tested).toContain(`alertname: ${alert}`);
});

test('each alert has its runbook, and each runbook its alert', () => {
  const pages = readdirSync(join(ROOT, 'docs/runbooks')).sort();
  expect(pages).toEqual(
    rules()
      .map(({ alert }) => `${alert}.md`)
      .sort(),
  );
  for (const { alert, annotations } of rules()) expect(annotations.runbook).toBe(`docs/runbooks/${alert}.md`);
});

test('the dashboards are what panels.ts says', async () => {
  const dashboards = join(ROOT, 'deploy/grafana/dashboards');
  expect(readdirSync(dashboards).sort()).toEqual(Object.keys(buildDashboards()).sort());
  for (const [file, text] of Object.entries(buildDashboards()))
    expect(
      readFileSync(join(dashboards, file), 'utf8'),
      `${file}: node deploy/grafana/build-dashboards.ts`,
    ).toBe(text);
});

test('given a fleet of two edges, when a real Prometheus scrapes it, then nothing is a duplicate or invalid', async () => {
  await makeTraffic();
  const metrics = (await world.gateway.admin('/metrics')).text;
  const checked = spawnSync(join(bin, 'promtool'), ['check', 'metrics'], {
    input: metrics,
    encoding: 'utf8',
  });
  expect(checked.status, checked.stderr).not.toBe(PARSE_ERROR);
  const advice = checked.stderr.split('\n').filter((line) => line !== '' && !isNamedByOthers(line));
  expect(advice).toEqual([]);
  const series = metrics.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(names).size).toBe(names.length);
  await eventually(async () => {
    const up = await query('up');
    expect(up.map(({ value }) => value[1])).toEqual(['1', '1', '1', '1']);
    // The edges, the registry, and the three services behind: whoever is cut off tells.
    expect(await query('sluice_nats_connected')).toHaveLength(6);
  });
  const own = (await call(origin, '/metrics')).text;
  expect(own).toMatch(/^prometheus_target_scrapes_sample_duplicate_timestamp_total 0$/m);
  expect(own).toMatch(/^prometheus_target_scrapes_sample_out_of_order_total 0$/m);
});

test('given requests are traced, then Prometheus has exemplars of the latencies, and explain knows each trace', async () => {
  const { proxy } = world.gateway.ready;
  const traceId = crypto.randomUUID().replaceAll('-', '');
  await call(proxy, '/open', { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
  const span = `start=${Date.now() / 1000 - 600}&end=${Date.now() / 1000 + 600}`;
  const of = async (name: string) => {
    const answer = await call(origin, `/api/v1/query_exemplars?query=${name}_bucket&${span}`);
    const { data } = answer.json<{ data: { exemplars: { labels: { trace_id: string } }[] }[] }>();
    return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
  };
  await eventually(async () => {
    for (const name of ['kong_request_latency_ms', 'kong_kong_latency_ms', 'kong_upstream_latency_ms'])
      expect(await of(name), name).toContain(traceId);
  });
  expect((await world.gateway.admin(`/explain/${traceId}`)).status).toBe(200);
});

test('given requests are traced, then sluice trace shows each with its steps in every process, by the id of the request', async () => {
  const { headers, status } = await call(world.gateway.ready.proxy, '/guarded', {
    headers: { authorization: `Bearer ${tokenOf({ tenant: 'tenant-traced' })}` },
  });
  expect(status).toBe(200);
  await eventually(async () => {
    const { code, out } = await world.sluice('trace', `${headers['x-kong-request-id']}`);
    expect(code).toBe(0);
    const lines = out.split('\n').slice(1);
    expect(lines.map((line) => /ms {2}(.*)$|· (\S+ name \S+)/.exec(line)?.slice(1).join('') ?? '')).toEqual([
      'edge-proxy: GET guarded',
      'plugin name jwt',
      'plugin name tenant-binding',
      '  edge-proxy: request auth.v1.verify',
      '    auth: process auth.v1.verify',
      '  edge-proxy: GET',
      '',
    ]);
  });
  const { out } = await world.sluice('trace', '--service', 'auth', '--limit', '1');
  expect(out).toMatch(/^\S+Z {2}[0-9a-f]{32} .* 4 spans {2}GET guarded \(edge-proxy\)$/m);
});

test('every metric that a rule or a dashboard names is exported by the fleet', async () => {
  const exprs = [
    ...rules().map(({ expr }) => expr),
    ...DASHBOARDS.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))),
  ];
  const named = [...new Set(exprs.flatMap(namesIn))].sort();
  expect(named.length).toBeGreaterThan(25);
  // Some counters have no series until something fails: then the type is what there is of them.
  const declared = (await ownTexts()).flatMap((text) =>
    [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
  );
  await eventually(async () => {
    const { data } = (await call(origin, '/api/v1/label/__name__/values')).json<{ data: string[] }>();
    expect(named.filter((name) => !data.includes(name) && !declared.includes(name))).toEqual([]);
  });
});

test('docs/metrics.md has every metric of the fleet', async () => {
  const page = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8');
  const texts = [...(await ownTexts()), (await world.gateway.admin('/metrics')).text];
  const declared = texts.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));

  expect(declared.length).toBeGreaterThan(60);
  expect(declared.filter((name) => !page.includes(`| \`${name}\` `))).toEqual([]);
});

test('given traffic goes on, then every query of every dashboard returns data, and no rule is in error', async () => {
  await eventually(async () => {
    await makeTraffic();
    for (const { title, panels } of DASHBOARDS)
      for (const panel of panels)
        for (const { expr } of panel.queries) {
          const found = await query(expr.replaceAll('$__rate_interval', '30s'));
          expect(found.length, `${title}: ${panel.title}`).toBeGreaterThan(0);
        }
  }, 30_000);
  const { data } = (await call(origin, '/api/v1/rules')).json<{
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
  }>();
  const loaded = data.groups.flatMap((group) => group.rules);
  expect(loaded.map(({ name }) => name)).toEqual(rules().map(({ alert }) => alert));
  expect(loaded.filter(({ health }) => health === 'err')).toEqual([]);
});
