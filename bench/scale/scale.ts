import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { between } from '../report/docs.ts';
import { FIGURES_FILE, readFigures } from './figures.ts';
import { measure } from './measure.ts';
import { scaleTables } from './tables.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs', 'scale.md');

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    /** Measures again, into bench/scale/figures.json. */
    measure: { type: 'boolean', default: false },
    /** Writes the tables into docs/scale.md. */
    'write-docs': { type: 'boolean', default: false },
  },
});

if (values.measure) writeFileSync(FIGURES_FILE, `${JSON.stringify(await measure(), null, 2)}\n`);
const tables = scaleTables(readFigures());
process.stdout.write(`${tables}\n`);
if (values['write-docs']) writeFileSync(DOCS, between(readFileSync(DOCS, 'utf8'), tables, 'scale'));
