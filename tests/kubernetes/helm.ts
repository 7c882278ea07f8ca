import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, RELEASE } from './helm-chart.ts';

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

/** @throws Error with Helm's words. */
export const helmTemplate = (name: ProfileName): string => {
  const file = valuesFile(name);
  const { status, stdout, stderr, error } = spawnSync(
    HELM,
    [
      ...['template', RELEASE.name, CHART, '--namespace', RELEASE.namespace, '--kube-version', '1.31'],
      ...(file === undefined ? [] : ['--values', file]),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr || `${error}`);
  return stdout;
};
