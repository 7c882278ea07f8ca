import { isRecord } from '@sluice/gateway-config';

type Value = number | boolean | null;

/**
 * A tag of a plugin that says until when one of its fields holds what it holds now, and what it held before:
 * `sluice-until:1767323045:config.hour:1000:3`.
 */
export interface UntilTag {
  readonly tag: string;
  /** Unix ms. */
  readonly atMs: number;
  /** `enabled`, or `config.` and one of the plugin's own. */
  readonly field: string;
  readonly now: Value;
  readonly before: Value;
}

/** What the tag begins with; other tags are nobody's business here. */
export const UNTIL = 'sluice-until:';
const VALUE = String.raw`(-?\d{1,15}(?:\.\d{1,9})?|true|false|null)`;
const FORM = new RegExp(`^${UNTIL}(\\d{9,11}):(enabled|config\\.[a-z0-9_]{1,64}):${VALUE}:${VALUE}$`);

/** Those of a plugin that are of the right form; what only looks like one stays as it is. */
export const untilTagsOf = ({ tags }: Readonly<Record<string, unknown>>): UntilTag[] =>
  (Array.isArray(tags) ? tags : []).flatMap((tag) => {
    const [, seconds, field = '', now = '', before = ''] = FORM.exec(`${tag}`) ?? [];
    if (seconds === undefined) return [];
    return [
      { tag: `${tag}`, atMs: Number(seconds) * 1000, field, now: readValue(now), before: readValue(before) },
    ];
  });

const readValue = (text: string): Value => JSON.parse(text) as Value;

/** The change that undoes what is over. A field that somebody has set to something else since stays. */
export const undoing = (
  plugin: Readonly<Record<string, unknown>>,
  over: readonly UntilTag[],
): Readonly<Record<string, unknown>> => {
  const tags = (Array.isArray(plugin.tags) ? plugin.tags : []).filter(
    (tag) => !over.some((one) => one.tag === tag),
  );
  const held = over.filter((one) => fieldOf(plugin, one.field) === one.now);
  const config = held.flatMap(({ field, before }) =>
    field === 'enabled' ? [] : [[field.slice('config.'.length), before]],
  );
  const enabled = held.find(({ field }) => field === 'enabled')?.before;
  return {
    tags: tags.length === 0 ? null : tags,
    ...(config.length === 0 ? {} : { config: Object.fromEntries(config) }),
    ...(enabled === undefined ? {} : { enabled }),
  };
};

const fieldOf = ({ enabled, config }: Readonly<Record<string, unknown>>, field: string): unknown => {
  if (field === 'enabled') return enabled;
  return isRecord(config) ? config[field.slice('config.'.length)] : undefined;
};
