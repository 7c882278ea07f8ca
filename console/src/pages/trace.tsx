import type { List } from '../api/answers.ts';
import type { SpanBar, Trace } from '../api/policy-answers.ts';
import { useAnswer } from '../api/use-answer.ts';
import { Badge, Panel } from '../parts/frame.tsx';
import { linkTo } from '../place.ts';
import { micros } from '../words.ts';

const LOOK_EVERY_MS = 2500;

/** The spans of every process that worked on a request, with what happened in each. */
export const TracePanel = ({ traceId }: { traceId: string }) => {
  const { value } = useAnswer<List<Trace>>(`/traces?trace=${encodeURIComponent(traceId)}`, LOOK_EVERY_MS);
  const trace = value?.data[0];
  if (value === undefined) return null;
  if (trace === undefined)
    return (
      <p class="muted">
        No spans of it came here. Processes tell them where OTEL_EXPORTER_OTLP_ENDPOINT is set to this API.
      </p>
    );
  return (
    <Panel title="Spans" aside={`${trace.spans} of the trace ${trace.traceId}`} isWide>
      <div class="waterfall">
        {trace.bars.map((bar, at) => (
          <Span key={at} of={bar} total={Math.max(1, trace.us)} />
        ))}
      </div>
      {trace.leftOut > 0 && <p class="muted">and {trace.leftOut} more, which were not kept</p>}
    </Panel>
  );
};

const Span = ({ of: bar, total }: { of: SpanBar; total: number }) => {
  const { depth, service, name, fromUs, us, failure, events, links } = bar;
  const at = (from: number) => `${(100 * from) / total}%`;
  return (
    <>
      <div class="stretch">
        <span style={{ paddingLeft: `${Math.min(depth, 6) * 0.8}rem` }}>
          <span class="muted">{service}</span> {name}{' '}
          {failure !== undefined && <Badge tone="bad">{failure}</Badge>}
        </span>
        <span class="bar">
          <i style={{ left: at(fromUs), width: at(us) }} />
          {events.map((one) => (
            <b key={`${one.atUs} ${wordsOf(one)}`} style={{ left: at(one.atUs) }} />
          ))}
        </span>
        <span class="number">{micros(us)}</span>
      </div>
      {events.length > 0 && (
        <ol class="events" aria-label={`In ${name}`}>
          {events.map((one) => (
            <li key={`${one.atUs} ${wordsOf(one)}`}>
              <span class="number">{micros(Math.max(0, one.atUs - fromUs))}</span> {wordsOf(one)}
            </li>
          ))}
        </ol>
      )}
      {links.length > 0 && (
        <p class="events">
          also for{' '}
          {links.map((linked) => (
            <a key={linked} class="mono" href={linkTo('request', linked)}>
              {linked.slice(0, 8)}
            </a>
          ))}
        </p>
      )}
    </>
  );
};

/** `jwt access 212 µs`, or what else it says of itself. */
const wordsOf = ({ name, attributes }: SpanBar['events'][number]): string => {
  const plugin = attributes['sluice.plugin.name'];
  if (plugin === undefined)
    return [name, ...Object.entries(attributes).map(([key, value]) => `${key} ${value}`)].join(', ');
  const us = Number(attributes['sluice.plugin.duration_us'] ?? 0);
  const refused = attributes['sluice.plugin.refused'];
  return `${plugin} ${attributes['sluice.plugin.phase'] ?? ''} ${micros(us)}${refused === undefined ? '' : `, refused ${refused}`}`;
};
