import type { ConfigOp, Kind } from '@sluice/contracts';
import { type Finding, isRecord } from '@sluice/gateway-config';
import { completeEntity, type World } from './complete-entity.ts';
import type { EntityIndex } from './entity-index.ts';
import { type EntityProblem, schemaProblem } from './entity-problem.ts';

/*
 * The Admin API writes and shows the names of a certificate as `snis`, a list of texts; stored they are entities
 * of their own.
 */

/** The certificate's own fields, and the names that were given with it. */
export const separateSnis = (kind: Kind, submitted: unknown): { certificate: unknown; snis: unknown } => {
  if (kind !== 'certificates' || !isRecord(submitted)) return { certificate: submitted, snis: undefined };
  const { snis, ...certificate } = submitted;
  return { certificate, snis: snis ?? undefined };
};

/** The names of a certificate, sorted. */
export const snisOf = (
  index: EntityIndex,
  nameOf: (id: string) => string | undefined,
  id: string,
): string[] =>
  index
    .referrersOf('certificates', id)
    .filter(({ kind }) => kind === 'snis')
    .flatMap((sni) => nameOf(sni.id) ?? [])
    .sort();

type Changed =
  | { readonly ok: true; readonly ops: readonly ConfigOp[] }
  | { readonly ok: false; readonly problem: EntityProblem };

const refuse = (findings: readonly Finding[]): Changed => ({ ok: false, problem: schemaProblem(findings) });

/** Makes these the names of a certificate. */
export const changeSnis = (world: World, certificateId: string, snis: unknown): Changed => {
  const names = typeof snis === 'string' ? [snis] : snis;
  if (!Array.isArray(names)) return refuse([{ path: ['snis'], message: 'expected an array' }]);
  const ops: ConfigOp[] = [];
  const kept = new Set<string>();
  for (const name of names as unknown[]) {
    const outcome = nameOp(world, certificateId, name, kept);
    if (!outcome.ok) return outcome;
    ops.push(...outcome.ops);
  }
  const removed = world.index
    .referrersOf('certificates', certificateId)
    .filter(({ kind, id }) => kind === 'snis' && !kept.has(String(world.state.get('snis', id)?.name)))
    .map(({ id }): ConfigOp => ({ op: 'delete', kind: 'snis', id }));
  return { ok: true, ops: [...removed, ...ops] };
};

const nameOp = (world: World, certificateId: string, name: unknown, kept: Set<string>): Changed => {
  const about = (message: string) => refuse([{ path: ['snis'], message }]);
  if (typeof name !== 'string') return about('expected a string');
  if (kept.has(name)) return about(`${name} is duplicated`);
  kept.add(name);
  const owner = world.index.ownerOf('snis', { name });
  const other = owner === undefined ? undefined : world.state.get('snis', owner)?.certificate.id;
  if (other === certificateId) return { ok: true, ops: [] };
  if (other !== undefined) return about(`${name} already associated with existing certificate '${other}'`);
  const id = crypto.randomUUID();
  const submitted = { name, certificate: { id: certificateId } };
  const completed = completeEntity(world, 'snis', submitted, {
    id,
    before: undefined,
    sibling: certificateId,
  });
  if (!completed.ok) return completed;
  return { ok: true, ops: [{ op: 'put', kind: 'snis', id, entity: completed.entity }] };
};
