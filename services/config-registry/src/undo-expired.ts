import type { ConfigFollower } from '@sluice/config-log';
import type { ConfigState } from '@sluice/gateway-config';
import type { Logger } from '@sluice/service-kit';
import { type ChangeParts, changeEntities } from './change-entities.ts';
import { updateEntity } from './entities/write-entity.ts';
import { UNTIL, type UntilTag, undoing, untilTagsOf } from './until-tag.ts';

const EVERY_MS = 1000;
/** What could not be undone is tried again. */
const AGAIN_AFTER_MS = 30_000;
const AUTHOR = 'sluice';

interface Tagged {
  readonly id: string;
  readonly tags: readonly UntilTag[];
}

/**
 * Undoes what was set only for a time, as the plugin's own tag says. The tag is part of the configuration: it
 * survives this process, every registry knows it, and whoever is first undoes it.
 */
export const undoExpired = (
  parts: ChangeParts & { readonly follower: ConfigFollower; readonly logger: Logger },
): { stop: () => void } => {
  const { follower, logger } = parts;
  let known:
    | { readonly epoch: string; readonly version: number; readonly tagged: readonly Tagged[] }
    | undefined;
  let notBefore = 0;
  let isBusy = false;
  const look = async (): Promise<void> => {
    const { epoch, version } = follower.position;
    if (known?.version !== version || known.epoch !== epoch)
      known = { epoch, version, tagged: taggedIn(follower.state) };
    const now = Date.now();
    if (now < notBefore) return;
    const over = known.tagged.filter(({ tags }) => tags.some(({ atMs }) => atMs <= now));
    for (const { id } of over) {
      const problem = await undo(parts, id, now);
      if (problem === undefined) continue;
      notBefore = now + AGAIN_AFTER_MS;
      logger.warn({ plugin_id: id, problem }, 'what was set for a time could not be undone, trying again');
    }
  };
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    look()
      .catch((error: unknown) => logger.warn({ err: error }, 'what is over not undone, trying again'))
      .finally(() => {
        isBusy = false;
      });
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
};

const taggedIn = (state: ConfigState): Tagged[] =>
  [...state.ids('plugins')].flatMap((id) => {
    if (!state.textOf('plugins', id)?.includes(UNTIL)) return [];
    const tags = untilTagsOf({ ...state.get('plugins', id) });
    return tags.length === 0 ? [] : [{ id, tags }];
  });

/** @returns why it could not be done */
const undo = async (parts: ChangeParts, id: string, now: number): Promise<unknown> => {
  const changed = await changeEntities(parts, {
    ...{ author: AUTHOR, message: undefined, expectedVersion: undefined },
    decide: (world) => {
      const before = world.state.get('plugins', id);
      const over = before === undefined ? [] : untilTagsOf({ ...before }).filter(({ atMs }) => atMs <= now);
      if (before === undefined || over.length === 0) return { ok: true, ops: [], result: undefined };
      const change = undoing({ ...before }, over);
      const written = updateEntity(world, 'plugins', () => change, { before: { ...before }, given: {} });
      if (!written.ok) return written;
      const fields = over.map(({ field, now: was, before: to }) => `${field} ${was} back to ${to}`);
      const summary = `its time is over: ${before.name} ${fields.join(', ')}`;
      return { ok: true, ops: written.ops, summary, result: undefined };
    },
  });
  return changed.outcome === 'refused' ? changed.refusal.body : undefined;
};
