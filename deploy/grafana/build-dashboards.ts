import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARDS, type Dashboard, type Panel } from './panels.ts';

/** Writes Grafana's form of panels.ts: `node deploy/grafana/build-dashboards.ts`. A test fails while a file is stale. */
const WIDTH = 12; // half of Grafana's grid
const HEIGHT = 8;

const DATASOURCE = { type: 'prometheus', uid: `$\{datasource}` };

const panelOf = ({ title, unit, queries }: Panel, at: number): object => ({
  ...{ id: at + 1, title, type: 'timeseries', datasource: DATASOURCE },
  gridPos: { x: (at % 2) * WIDTH, y: Math.floor(at / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] } },
  targets: queries.map(({ expr, legend }, i) => ({
    ...{ refId: String.fromCharCode(65 + i), expr, legendFormat: legend, datasource: DATASOURCE },
  })),
});

const dashboardOf = ({ uid, title, panels }: Dashboard): object => ({
  ...{ uid: `sluice-${uid}`, title: `Sluice / ${title}`, tags: ['sluice'], schemaVersion: 39, version: 1 },
  ...{ editable: false, refresh: '10s', time: { from: 'now-1h', to: 'now' }, timezone: 'utc' },
  templating: {
    list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }],
  },
  panels: panels.map(panelOf),
});

/** File name and text of each dashboard. */
export const buildDashboards = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    DASHBOARDS.map((one) => [`${one.uid}.json`, `${JSON.stringify(dashboardOf(one), null, 2)}\n`]),
  );

if (import.meta.main) {
  const folder = join(import.meta.dirname, 'dashboards');
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(buildDashboards())) writeFileSync(join(folder, file), text);
}
