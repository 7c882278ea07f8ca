import { CENSOR, isSecretName, type Kind } from '@sluice/contracts';
import { isRecord, type Path } from '../path.ts';
import { isSecretField } from './redact.ts';
import type { Draft, Violation } from './violation.ts';

/** They have no secrets, and a large configuration is mostly of them. */
const WITHOUT_SECRETS: ReadonlySet<Kind> = new Set<Kind>(['routes', 'services', 'upstreams', 'targets']);

const MESSAGE = `is ${CENSOR}, which stands where a secret was taken out for reading: give the secret, or bring an earlier version back with rollback`;

/** Secrets that are the mark of a redacted text: whoever applies such a text would make the mark everybody's password. */
export const censoredSecrets = (drafts: readonly Draft[]): Violation[] =>
  drafts.flatMap((draft) => {
    if (WITHOUT_SECRETS.has(draft.kind)) return [];
    return Object.entries(draft.entity).flatMap(([field, value]) =>
      censoredIn(value, [field], isSecretField(draft.kind, field)).map((path) => ({
        ...{ path: [...draft.path, ...path], message: MESSAGE, scope: 'field' as const, draft },
      })),
    );
  });

const censoredIn = (value: unknown, path: Path, isSecret: boolean): Path[] => {
  if (typeof value === 'string') return isSecret && value === CENSOR ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => censoredIn(item, [...path, i], isSecret));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    censoredIn(item, [...path, key], isSecret || isSecretName(key)),
  );
};
