import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, RELEASE, STUBS } from './helm-chart.ts';

/** What Helm itself printed, by `npm run helm:golden`. */
export const GOLDEN = join(import.meta.dirname, 'golden');
/** The chart's values-<name>.yaml, none, or ours that switches everything on. */
export const PROFILES = ['default', 'dev', 'prod', 'leaf', 'whole'] as const;
export type ProfileName = (typeof PROFILES)[number];

const HELM = process.env.SLUICE_HELM ?? 'helm';

/** False where there is no Helm. */
export const hasHelm = (): boolean => spawnSync(HELM, ['version']).status === 0;

export const valuesFile = (name: ProfileName): string | undefined =>
  [join(CHART, `values-${name}.yaml`), join(import.meta.dirname, `values-${name}.yaml`)].find(existsSync);

/** What Helm makes of the chart, with stubs in the place of what the contracts say. @throws Error with Helm's words. */
export const helmTemplate = (name: ProfileName): string => {
  const file = valuesFile(name);
  const chart = mkdtempSync(join(tmpdir(), 'sluice-chart-'));
  cpSync(CHART, chart, { recursive: true });
  for (const [path, text] of Object.entries(STUBS)) writeFileSync(join(chart, path), text);
  const { status, stdout, stderr, error } = spawnSync(
    HELM,
    [
      ...['template', RELEASE.name, chart, '--namespace', RELEASE.namespace, '--kube-version', '1.31'],
      ...(file === undefined ? [] : ['--values', file]),
    ],
    { encoding: 'utf8' },
  );
  rmSync(chart, { recursive: true, force: true });
  if (status !== 0) throw new Error(stderr || `${error}`);
  return stdout;
};
