import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BUS_USERS, natsPasswordVariable } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..');
const SERVICES = ['auth', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'];

const filesOf = (pattern: string): string[] =>
  globSync(pattern, { cwd: ROOT, exclude: (path) => /(^|\/)(node_modules|\.local|dist)$/.test(path) });
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const pages = [...filesOf('*.md'), ...filesOf('{docs,deploy}/**/*.md')];

/** Headings as the anchors that a link may name. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

const isThere = (page: string, link: string): boolean => {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(textOf(target)).includes(anchor);
};

/** Lines of the pages' shell blocks, with continued lines joined. */
const commandsIn = (page: string): string[] =>
  [...textOf(page).matchAll(/^ *```(?:ba)?sh\b.*\n([\s\S]*?)^ *```/gm)]
    .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '');

test('every relative link of every page leads somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && !isThere(page, link))
      .map((link) => `${page}: ${link}`),
  );
  expect(pages.length).toBeGreaterThan(20);
  expect(broken).toEqual([]);
});

test('every test file that a page names exists', () => {
  const known = new Set(
    filesOf('{libs,services,cli,tests,tools}/**/*.test.ts').map((path) => basename(path)),
  );
  const unknown = pages.flatMap((page) =>
    [...textOf(page).matchAll(/`([\w./-]+\.test\.ts)`/g)]
      .map(([, path = '']) => path)
      .filter((path) => !(path.includes('/') ? existsSync(join(ROOT, path)) : known.has(basename(path))))
      .map((path) => `${page}: ${path}`),
  );
  expect(unknown).toEqual([]);
});

test('every npm script and every verb of the command line that a page types exists', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const help = execFileSync(process.execPath, ['cli/src/main.ts', '--help'], { cwd: ROOT, encoding: 'utf8' });
  const verbs = [...help.matchAll(/^ {2}([a-z]+) .*\S$/gm)].map(([, verb]) => verb);
  const typed = pages.flatMap(commandsIn);
  const scriptsTyped = typed.flatMap((line) =>
    [...line.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test))\b/g)].map(([, run, own]) => run ?? own),
  );
  const verbsTyped = typed.flatMap((line) =>
    [...line.matchAll(/\bsluice -- ([a-z]+)/g)].map(([, verb]) => verb),
  );
  expect(scriptsTyped).toContain('start');
  expect(verbsTyped).toEqual(expect.arrayContaining(['token', 'build', 'apply', 'up']));
  expect(scriptsTyped.filter((name) => name === undefined || scripts[name] === undefined)).toEqual([]);
  expect(verbsTyped.filter((verb) => !verbs.includes(verb))).toEqual([]);
});

test('the README is short', () => {
  expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(200);
});

test('the ratios of the README are those of the page that has them from the bench', () => {
  const rowsOf = (text: string) => [...text.matchAll(/^\| ([^|]+?) +\|(.+)\|$/gm)];
  const [, costs = ''] = textOf('README.md').split('## What a request costs');
  const [, main = '', light = ''] = textOf('docs/performance.md').split(/^(?=\d+ connections, 1 KB:)/m);
  const ratioOf = (table: string, name: string) =>
    rowsOf(table)
      .find(([, title]) => title === name)?.[2]
      ?.split('|')
      .at(-1)
      ?.trim();
  const said = rowsOf(costs.split('\n## ')[0] ?? '').slice(2);
  expect(said.map(([, name]) => name)).toContain('plain route');
  for (const [, name = '', figures = ''] of said)
    expect(
      figures.split('|').map((one) => one.trim()),
      name,
    ).toEqual([ratioOf(main, name), ratioOf(light, name)]);
});

test('the compose file names the five services, and every file it mounts or builds from is there', () => {
  const compose = parse(textOf('deploy/compose.yaml'), { merge: true }) as {
    services: Record<
      string,
      { build?: { dockerfile: string; args: { SERVICE: string } }; volumes?: string[]; networks: string[] }
    >;
    networks: Record<string, unknown>;
    volumes: Record<string, unknown>;
  };
  const built = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);
  expect(built.map(([name]) => name).sort()).toEqual(SERVICES);
  for (const [name, { build }] of built) {
    expect(build?.args.SERVICE).toBe(name);
    expect(existsSync(join(ROOT, build?.dockerfile ?? ''))).toBe(true);
  }
  for (const { volumes = [], networks } of Object.values(compose.services)) {
    for (const network of networks) expect(Object.keys(compose.networks)).toContain(network);
    for (const [source = ''] of volumes.map((volume) => volume.split(':')))
      if (source.startsWith('.')) expect(existsSync(join(ROOT, 'deploy', source)), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
  }
});

test('a service of the compose file gets no variable that it does not read', () => {
  const { services } = parse(textOf('deploy/compose.yaml'), { merge: true }) as {
    services: Record<string, { environment?: Record<string, string> }>;
  };
  const shared = textOf('libs/service-kit/src/settings.ts');
  const warnedAbout = new Set(['LOGTO_ISSUER', 'REDIS_URL']); // by the configuration, and by its warnings
  for (const name of SERVICES) {
    const read = shared + textOf(`services/${name}/src/settings.ts`);
    const names = Object.keys(services[name]?.environment ?? {});
    expect(names).toContain('NATS_URL');
    for (const variable of names)
      if (!warnedAbout.has(variable)) expect(read, `${name}: ${variable}`).toContain(`${variable}:`);
  }
});

test('nats-server takes the NATS configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
  try {
    const file = join(folder, 'nats.conf');
    writeFileSync(file, textOf('deploy/nats/nats.conf').replace('"/data"', JSON.stringify(folder)));
    writeFileSync(join(folder, 'users.conf'), textOf('deploy/nats/users.conf'));
    const passwords = BUS_USERS.map((user) => [natsPasswordVariable(user), `p${user}`]);
    const env = { ...process.env, ...Object.fromEntries(passwords) };
    const run = () => execFileSync('nats-server', ['-t', '-c', file], { stdio: 'pipe', env });
    expect(run).not.toThrow();
    writeFileSync(file, 'no_such_field: 1\n');
    expect(run).toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('Prometheus is told of ports that the compose file sets', () => {
  const { scrape_configs: jobs } = parse(textOf('deploy/prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const { services } = parse(textOf('deploy/compose.yaml'), { merge: true }) as {
    services: Record<string, { environment?: Record<string, string> }>;
  };
  const targets = jobs.flatMap((job) => job.static_configs.flatMap((one) => one.targets));
  expect(targets).toContain('config-registry:8001');
  for (const target of targets) {
    const [name = '', port] = target.split(':');
    const { ADMIN_PORT, STATUS_PORT } = services[name]?.environment ?? {};
    expect([ADMIN_PORT, STATUS_PORT]).toContain(port);
  }
});
