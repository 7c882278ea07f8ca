import type { Finding } from '@sluice/gateway-config';

/** Kong's body for an entity that breaks its schema (code 2, kong-compat 5.3). */
export const schemaViolation = (
  findings: readonly Finding[],
): { code: 2; name: string; message: string; fields: Record<string, unknown> } => {
  const about = findings.filter(({ path }) => path.length === 0).map(({ message }) => message);
  const ofFields = findings
    .filter(({ path }) => path.length > 0)
    .map(({ path, message }) => ({ path, message, name: path.map(oneBased).join('.') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const fields: Record<string, unknown> = Object.create(null);
  for (const { path, message } of ofFields) setAt(fields, path, message);
  if (about.length > 0) fields['@entity'] = about;
  const texts = [...about, ...ofFields.map(({ name, message }) => `${name}: ${message}`)];
  const heading = texts.length === 1 ? 'schema violation' : `${texts.length} schema violations`;
  return { code: 2, name: 'schema violation', message: `${heading} (${texts.join('; ')})`, fields };
};

/** Elements of arrays count from 1, as in Lua. */
const oneBased = (step: string | number): string => `${typeof step === 'number' ? step + 1 : step}`;

const setAt = (root: Record<string, unknown>, path: Finding['path'], message: string): void => {
  let node = root;
  path.slice(0, -1).forEach((step, index) => {
    const key = `${step}`;
    const isList = typeof path[index + 1] === 'number'; // a list with `null` where nothing is wrong
    if (typeof node[key] !== 'object') node[key] = isList ? [] : Object.create(null);
    node = node[key] as Record<string, unknown>;
  });
  const last = `${path.at(-1)}`;
  if (last === '@entity') node[last] = [...((node[last] as string[] | undefined) ?? []), message];
  else node[last] ??= message;
};
