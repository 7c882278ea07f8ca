import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { withoutRelease } from './as-kustomize.ts';
import type { Value } from './go-template/functions.ts';
import { type ProfileName, valuesFile } from './helm.ts';
import { renderChart, valuesOf } from './helm-chart.ts';
import { hasKustomize, type Manifest, render } from './rendered.ts';

/** The values of a profile, over the chart's own. */
export const valuesOfProfile = (name: ProfileName): Value => {
  const file = valuesFile(name);
  return valuesOf(file === undefined ? {} : (parse(readFileSync(file, 'utf8'), { version: '1.1' }) as Value));
};

/** What is installed, by the way it was made; of the chart without the name of the release. */
export const installations = (
  overlays: readonly string[],
  profiles: readonly ProfileName[],
): readonly (readonly [string, readonly Manifest[]])[] => [
  ...(hasKustomize() ? overlays.map((name) => [`overlay ${name}`, render(name)] as const) : []),
  ...profiles.map((name) => [`chart ${name}`, withoutRelease(renderChart(valuesOfProfile(name)))] as const),
];
