import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigState } from '@sluice/gateway-config';
import { silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { LastKnownGoodFile } from '../src/index.ts';
import { sealed, unsealed } from '../src/state-codec.ts';
import { service } from './log-world.ts';

// C5 without its protections: the check that no damaged file is served must then fail, else it could not be trusted.

const ENTITIES = 20;

const stateOf = (count: number): ConfigState => {
  const state = new ConfigState();
  state.apply(Array.from({ length: count }, (_, index) => service(index)));
  return state;
};

const savedIn = async (path: string, ...counts: number[]): Promise<void> => {
  const file = new LastKnownGoodFile(path, silentLogger());
  await file.load();
  for (const count of counts) {
    const state = stateOf(count);
    file.save(state, { epoch: 'e', version: count, seq: count, digest: state.digest });
    await file.flush();
  }
};

/** One letter of one entity is another. */
const damaged = (bytes: Buffer): Buffer => {
  const at = bytes.indexOf('0.test');
  expect(at).toBeGreaterThan(0);
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

/** As if there were no seal: the damage is sealed, too. */
const withoutSeal = async (bytes: Buffer): Promise<Buffer> => sealed(damaged(await unsealed(bytes)));

test.each([
  ['nothing', true, (bytes: Buffer) => Promise.resolve(damaged(bytes))],
  ['the seal', false, withoutSeal],
])('given %s is taken away and a file is damaged, then C5 holds: %s', async (_what, holds, hurt) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-lkg-'));
  const path = join(folder, 'config.lkg');
  await savedIn(path, ENTITIES - 1, ENTITIES);
  writeFileSync(path, await hurt(readFileSync(path)));

  const loaded = await new LastKnownGoodFile(path, silentLogger()).load();

  const saved = [ENTITIES - 1, ENTITIES].map((count) => textsOf(stateOf(count)));
  expect(saved.includes(textsOf(loaded?.state))).toBe(holds);
  rmSync(folder, { recursive: true });
});

const textsOf = (state: ConfigState | undefined): string =>
  [...(state?.lines() ?? [])]
    .map(({ text }) => text)
    .toSorted()
    .join('\n');
