import type { Decisions, Explanation } from '../api/answers.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Commands } from '../parts/command.tsx';
import { Badge, Panel, toneOfStatus } from '../parts/frame.tsx';
import { Meter } from '../parts/meter.tsx';
import { Problem, Waiting } from '../parts/states.tsx';
import { linkTo } from '../place.ts';
import { ago, clock, count } from '../words.ts';
import { RaiseLimit } from './raise-limit.tsx';
import { type RefusalGroup, tenantsRefusedBy } from './refusal-groups.ts';

const LOOK_EVERY_MS = 6000;
const MAX_RECORDS = 500;
const SHOWN_TENANTS = 5;

/** Who refuses, by which policy, by which number, since when, and whom else. */
export const RefusalStory = ({
  tenant,
  group,
  isFirst,
}: {
  tenant: string;
  group: RefusalGroup;
  isFirst: boolean;
}) => {
  const { code, status, policy, records } = group;
  const newest = records[0];
  const { value: story, error } = useAnswer<Explanation>(
    newest === undefined ? undefined : `/explain/${encodeURIComponent(newest.requestId)}`,
  );
  const isLimit = policy?.plugin === 'rate-limiting';
  return (
    <Panel title={`${status} ${code}`} aside={`${count(records.length)} remembered`} isWide>
      {error && <Problem error={error} />}
      {story === undefined && error === undefined && <Waiting what="Asking why" />}
      {story !== undefined && <p class="story">{story.headline.replace(/^\d+: /, '')}</p>}
      <dl class="facts">
        <dt>Who refuses</dt>
        <dd>
          <Badge tone={toneOfStatus(status)}>{story?.decidedBy.kind ?? 'asking'}</Badge>{' '}
          <b>{story?.decidedBy.name ?? ''}</b>
        </dd>
        <dt>Which policy</dt>
        <dd>{policyOf(story) ?? 'none: the gateway itself'}</dd>
        <dt>The number</dt>
        <dd>
          {story?.number === undefined ? (
            'none'
          ) : (
            <>
              {story.number.name.replaceAll('_', ' ')} <b>{count(story.number.value)}</b>
              {story.number.limit !== undefined && ` of ${count(story.number.limit)}`}
              {story.number.limit !== undefined && <Meter share={story.number.value / story.number.limit} />}
            </>
          )}
        </dd>
        <dt>Since when</dt>
        <dd>
          {group.isSinceKnown ? '' : 'at least '}
          {clock(group.since)}, {ago(group.since)}
          {newest !== undefined && `; last ${ago(newest.at)}`}
        </dd>
        <dt>Only them?</dt>
        <dd>
          <Others tenant={tenant} group={group} />
        </dd>
      </dl>
      {isFirst && isLimit && policy !== undefined && (
        <RaiseLimit policyId={policy.id} periods={periodsOf(group)} />
      )}
      {newest !== undefined && (
        <Commands texts={[`sluice explain ${newest.requestId}`, `sluice tail --status ${status}`]} />
      )}
    </Panel>
  );
};

const policyOf = (story: Explanation | undefined): string | undefined =>
  story?.because
    .map((line) => /^(?:set|refused) by the (.+)$/.exec(line)?.[1])
    .find((found) => found !== undefined);

const periodsOf = ({ policy }: RefusalGroup): readonly string[] =>
  (policy?.windows ?? []).toSorted((a, b) => a.remaining - b.remaining).map(({ period }) => period);

/** Who else the same policy refuses, of what the edges remember. */
const Others = ({ tenant, group: { policy, code, status } }: { tenant: string; group: RefusalGroup }) => {
  const path = `/decisions?limit=${MAX_RECORDS}&status=${status}`;
  const { value } = useAnswer<Decisions>(path, LOOK_EVERY_MS);
  if (value === undefined) return <span class="muted">asking</span>;
  const others = tenantsRefusedBy(policy?.id, code, value.data).filter(({ tenant: name }) => name !== tenant);
  if (others.length === 0) return <>yes, as far as the edges remember</>;
  return (
    <>
      no, also{' '}
      {others.slice(0, SHOWN_TENANTS).map(({ tenant: name, count: times }, at) => (
        <span key={name}>
          {at > 0 && ', '}
          <a href={linkTo('tenant', name)}>{name}</a> ({count(times)})
        </span>
      ))}
      {others.length > SHOWN_TENANTS && ` and ${others.length - SHOWN_TENANTS} more`}
    </>
  );
};
