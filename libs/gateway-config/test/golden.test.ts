import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flattened, loadConfig } from '../src/index.ts';
import { catalog } from './catalog.ts';

const file = (name: string): string => join(import.meta.dirname, 'golden', name);
const load = (name: string) =>
  loadConfig({ text: readFileSync(file(`${name}.yaml`), 'utf8') }, catalog, { now: 1_700_000_000 });
/** What is expected, and what there is as JSON has it. */
const expectGolden = (name: string, value: unknown): void =>
  expect(JSON.parse(JSON.stringify(value))).toEqual(JSON.parse(readFileSync(file(`${name}.json`), 'utf8')));

test.each(['dcoder', 'nested'])('golden: %s.yaml becomes the state in its .json', (name) => {
  const loaded = load(name);
  if (!loaded.ok) throw loaded.error;
  expectGolden(name, { state: flattened(loaded.state), warnings: loaded.warnings });
});

test.each(['error-schema', 'error-references', 'error-unreadable'])(
  'golden: %s.yaml is refused with the bodies and problems in its .json',
  (name) => {
    const loaded = load(name);
    if (loaded.ok) throw new Error('was accepted');
    const { error } = loaded;
    const { fields, flattened_errors } = error.toBody({ flatten: true });
    const flat = { fields, flattened_errors };
    expectGolden(name, { body: error.toBody(), flat, problems: error.problems });
  },
);

test('given the same entities nested and flat, when both are loaded, then the states are equal', () => {
  const nested = load('nested');
  const flat = load('flat');
  if (!nested.ok || !flat.ok) throw new Error('was refused');
  expect(flattened(flat.state)).toEqual(flattened(nested.state));
  expect(flat.state.digest).toBe(nested.state.digest);
});

test('the original platform file has 4 services and 15 routes, 9 of them open to anyone', () => {
  const loaded = load('dcoder');
  if (!loaded.ok) throw loaded.error;
  expect(loaded.state.count('services')).toBe(4);
  expect(loaded.state.count('routes')).toBe(15);
  expect(loaded.warnings.filter((warning) => warning.includes('anyone can call it'))).toHaveLength(9);
  expect(loaded.state.get('services', 'b3e43a63-98fb-550e-843a-6088b2e0e543')?.name).toBe(
    'agent-orchestrator',
  );
  expect(loaded.state.get('routes', '3747d795-d802-569b-9ec3-e6a50a106a9d')?.name).toBe('agent-workflows');
});
