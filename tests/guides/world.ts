import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually, freePort } from '@sluice/testkit';
import { readConfiguration } from '../../cli/src/configuration.ts';
import { pushConfig } from '../../cli/src/push-config.ts';
import { RunningGateway } from '../gateway.ts';
import { type Block, looksLike, missingLine, saidOf } from './blocks.ts';
import { SluiceAtHand } from './sluice-at-hand.ts';
import { Terminal, type Typed } from './terminal.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = ['config', 'plugins'];
const LINKED = ['cli', 'deploy', 'docs', 'libs', 'node_modules', 'package.json', 'services', 'tools'];
const TYPED_AGAIN_MS = 40_000; // a block with `until`

/** What the commands of the guides are here: the gateway's own ones, and each answer that curl meets is noted. */
const commandsFor = ({ ready }: RunningGateway, sluice: string): Record<string, string> => ({
  npm: `if [[ "$*" =~ ^run\\ (-s\\ )?sluice\\ --\\  ]]; then
  while [[ $1 != -- ]]; do shift; done; shift
  ${sluice}
fi
echo "only 'npm run -s sluice -- …' is typed here, not: npm $*; give the block a skip" >&2; exit 96`,
  curl: `PATH=\${PATH#*:}; exec curl -v --stderr "$ANSWERS/$BASHPID" "$@"`,
  'redis-cli': `PATH=\${PATH#*:}; exec redis-cli -u '${ready.redis}' "$@"`,
});

/** A folder like a clone, before a gateway of two edges that runs on its configuration. */
export class GuideWorld implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly folder: string;
  readonly #atHand: SluiceAtHand;
  #terminals = 0;

  private constructor(gateway: RunningGateway, folder: string, atHand: SluiceAtHand) {
    this.gateway = gateway;
    this.folder = folder;
    this.#atHand = atHand;
  }

  static async start(): Promise<GuideWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-guides-'));
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(ROOT, name), join(folder, name));
    const inFolder = ['--config', join(folder, 'config'), '--plugins', join(folder, 'plugins')];
    const port = await freePort();
    const fleet = ['--demo', '--edges', '2', '--restart=never', '--admin-port', `${port}`];
    const gateway = await RunningGateway.start([...fleet, ...inFolder], {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '200',
    });
    symlinkSync(gateway.dataDir, join(folder, '.local'));
    const atHand = await SluiceAtHand.start({ folder: gateway.dataDir, root: folder });
    return new GuideWorld(gateway, folder, atHand);
  }

  /** The files and the configuration are again as they come with a clone. */
  async reset(): Promise<void> {
    for (const name of COPIED) {
      rmSync(join(this.folder, name), { recursive: true });
      cpSync(join(ROOT, name), join(this.folder, name), { recursive: true });
    }
    const io = { env: {}, cwd: ROOT, root: ROOT } as Parameters<typeof readConfiguration>[1];
    const read = await readConfiguration(join(ROOT, 'config'), io);
    if (!read.ok) throw new Error(read.problems.join('\n'));
    const { text } = read.configuration;
    const pushed = await pushConfig({ admin: this.gateway.ready.admin, text, author: 'tests' });
    if (!pushed.ok) throw new Error(pushed.message);
  }

  terminal(): Terminal {
    this.#terminals += 1;
    return new Terminal({
      folder: join(this.gateway.dataDir, `terminal-${this.#terminals}`),
      cwd: this.folder,
      env: { ...process.env, SLUICE_ROOT: this.folder, NO_COLOR: '1' },
      commands: commandsFor(this.gateway, this.#atHand.script),
    });
  }

  /** The guides name the usual ports, and wait longer than a test does. */
  here(text: string): string {
    const { proxy, admin } = this.gateway.ready;
    return text
      .replaceAll(/http:\/\/(localhost|127\.0\.0\.1):8000/g, proxy)
      .replaceAll(/http:\/\/(localhost|127\.0\.0\.1):8001/g, admin)
      .replaceAll(/--for \d+s/g, '--for 4s')
      .replaceAll('{1..150}', '{1..15}');
  }

  write(block: Block): void {
    for (const name of saidOf(block, 'file')) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, this.here(block.text));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#atHand[Symbol.asyncDispose]();
    await this.gateway[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const problemsOf = (block: Block, { said, failed, statuses }: Typed): string[] => {
  const exits = saidOf(block, 'exits').join(' ');
  const mayAnswer = new Set(saidOf(block, 'answers').flatMap((list) => list.split(' ').map(Number)));
  const isExpected = (status: number) => (status >= 200 && status < 400) || mayAnswer.has(status);
  const unexpected = statuses.filter((status) => !isExpected(status));
  const unseen = [...saidOf(block, 'shows'), ...saidOf(block, 'until')].filter(
    (text) => !looksLike(text).test(said),
  );
  const asTold = failed.map(({ code }) => code).join(' ') === exits;
  return [
    ...(asTold ? [] : failed.map(({ code, command }) => `ended with ${code}: ${command}`)),
    ...(!asTold && failed.length === 0 ? [`nothing ended with ${exits}`] : []),
    ...unexpected.map((status) => `curl was answered ${status}`),
    ...unseen.map((text) => `it does not say: ${text}`),
  ];
};

const typeOnce = async (world: GuideWorld, terminal: Terminal, block: Block) => {
  const typed = await terminal.type(world.here(block.text));
  return { said: typed.said, problems: problemsOf(block, typed) };
};

const typeBlock = async (world: GuideWorld, terminal: Terminal, block: Block) => {
  let last = await typeOnce(world, terminal, block);
  if (saidOf(block, 'until').length === 0 || last.problems.length === 0) return last;
  await eventually(async () => {
    last = await typeOnce(world, terminal, block);
    return last.problems.length === 0;
  }, TYPED_AGAIN_MS).catch(() => undefined); // what is still wrong is told with its place
  return last;
};

/** Does with the blocks of a page what a reader would do; what came otherwise than the page says, with its place. */
export const followGuide = async (world: GuideWorld, blocks: readonly Block[]): Promise<string[]> => {
  await using terminal = world.terminal();
  const problems: string[] = [];
  let last = '';
  for (const block of blocks) {
    const place = `${block.page}:${block.line}`;
    if (saidOf(block, 'skip').length > 0) continue;
    if (block.kind === 'file') world.write(block);
    if (block.kind === 'output') {
      const missing = missingLine(block.text, last);
      if (missing !== undefined) problems.push(`${place}  not said: ${missing}\n${last}`);
    }
    if (block.kind !== 'commands') continue;
    const typed = await typeBlock(world, terminal, block);
    last = typed.said;
    if (typed.problems.length > 0) problems.push(`${place}  ${typed.problems.join('\n  ')}\n${last}`);
  }
  return problems;
};
