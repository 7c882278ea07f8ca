import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const File = z.object({
  services: z.record(z.string(), z.object({ environment: z.record(z.string(), z.string()).optional() })),
});

/** `${NAME:?why}` and `${NAME:-otherwise}`, as compose reads them. */
const substitute = (text: string, given: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{(\w+)(?::([?-])([^}]*))?\}/g, (_, name: string, kind: string, rest = '') => {
    const value = given[name] ?? '';
    if (value === '' && kind === '?') throw new Error(`compose.yaml wants ${name}: ${rest}`);
    return value === '' ? rest : value;
  });

/** What compose.yaml gives a service for its environment, with these variables set. */
export const composeEnvOf = (
  service: string,
  given: Readonly<Record<string, string>>,
): Record<string, string> => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'compose.yaml'), 'utf8');
  const { environment = {} } = File.parse(parse(text, { merge: true })).services[service] ?? {};
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, substitute(value, given)]),
  );
};
