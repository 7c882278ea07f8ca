import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN, helmTemplate, PROFILES } from './helm.ts';

/** `npm run helm:golden`: what Helm makes of the chart, for golden/. Wants `helm`, or its path in SLUICE_HELM. */
for (const name of PROFILES) writeFileSync(join(GOLDEN, `${name}.yaml`), helmTemplate(name));
