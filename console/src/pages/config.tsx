import { useEffect, useRef, useState } from 'preact/hooks';
import type { CheckAnswer, Problem as ConfigProblem } from '../api/answers.ts';
import { type AskError, ask } from '../api/ask.ts';
import { useLive } from '../api/live.ts';
import { asAskError, useAnswer } from '../api/use-answer.ts';
import type { YamlEditor } from '../editor/yaml-editor.ts';
import { ChangeList, countOf } from '../parts/changes.tsx';
import { Commands } from '../parts/command.tsx';
import { Badge, Head, Panel } from '../parts/frame.tsx';
import { Empty, Problem, Waiting } from '../parts/states.tsx';
import { useMay } from '../session.ts';
import { quoted } from '../words.ts';
import { CanaryPanel, OfferCanary } from './canary.tsx';
import { HistoryPanel } from './history.tsx';
import { Rehearse } from './rehearse.tsx';

const CHECK_AFTER_MS = 350;

/** What is in force, what it would become, and what it was. */
export const ConfigPage = () => {
  const mayEdit = useMay('operator');
  const [round, setRound] = useState(0);
  return (
    <>
      <Head title="Configuration" />
      <CanaryPanel />
      {mayEdit ? (
        <Editing key={round} reload={() => setRound(round + 1)} />
      ) : (
        <Empty title="The configuration holds secrets">
          <p>To read and change it takes the role operator. Routes and upstreams are on their own page.</p>
        </Empty>
      )}
      <HistoryPanel reload={() => setRound(round + 1)} />
    </>
  );
};

interface Checked {
  readonly text: string;
  readonly answer: CheckAnswer;
}

const Editing = ({ reload }: { reload: () => void }) => {
  const { value, error, again } = useAnswer<{ config: string }>('/config');
  const [checked, setChecked] = useState<Checked | undefined>();
  const [failure, setFailure] = useState<AskError | undefined>();
  const [isFresh, setFresh] = useState(true);
  const host = useRef<HTMLDivElement>(null);
  const editor = useEditor(
    host,
    value?.config,
    () => setFresh(false),
    async (text) => {
      try {
        const { body } = await ask<CheckAnswer>('/sluice/check', { method: 'POST', yaml: text });
        setChecked({ text, answer: body });
        setFresh(true);
        setFailure(undefined);
        return body.problems;
      } catch (problem) {
        setFailure(asAskError(problem));
        return [];
      }
    },
  );
  if (error !== undefined) return <Problem error={error} again={again} />;
  return (
    <>
      {value === undefined && <Waiting what="Reading the configuration" />}
      {failure && <Problem error={failure} />}
      <div class="editing">
        <div class="editor-place">
          <div class="editor" ref={host} />
        </div>
        <div class="beside">
          {checked !== undefined && !checked.answer.valid && (
            <Problems of={checked.answer.problems} goToLine={(line) => editor.current?.goToLine(line)} />
          )}
          {checked?.answer.valid && <Applying checked={checked} isFresh={isFresh} reload={reload} />}
          {checked?.answer.valid && <Rehearse text={checked.text} />}
          {checked?.answer.valid && (
            <OfferCanary text={checked.text} isReady={isFresh && hasChanges(checked.answer)} />
          )}
        </div>
      </div>
    </>
  );
};

const hasChanges = ({ counts }: CheckAnswer): boolean =>
  counts !== undefined && counts.added + counts.changed + counts.removed > 0;

/** An editor in its place, loaded when somebody comes here; what is typed is checked when the typing rests. */
const useEditor = (
  host: { readonly current: HTMLElement | null },
  text: string | undefined,
  changed: () => void,
  check: (text: string) => Promise<readonly ConfigProblem[]>,
) => {
  const editor = useRef<YamlEditor | undefined>(undefined);
  useEffect(() => {
    if (text === undefined) return undefined;
    let isOver = false;
    let timer = 0;
    const look = async () => {
      const asked = editor.current?.text() ?? '';
      const problems = await check(asked);
      if (editor.current?.text() === asked) editor.current.show(problems);
    };
    const later = () => {
      changed();
      clearTimeout(timer);
      timer = window.setTimeout(() => void look(), CHECK_AFTER_MS);
    };
    void import('../editor/yaml-editor.ts').then(({ openEditor }) => {
      if (isOver || host.current === null) return;
      editor.current = openEditor(host.current, 'Configuration, YAML', false, later);
      editor.current.replace(text);
    });
    return () => {
      isOver = true;
      clearTimeout(timer);
      editor.current?.destroy();
      editor.current = undefined;
    };
  }, [text]);
  return editor;
};

const Problems = ({
  of: problems,
  goToLine,
}: {
  of: readonly ConfigProblem[];
  goToLine: (line: number) => void;
}) => (
  <Panel title="Not valid" aside={`${problems.length} to mend`}>
    <ul class="list">
      {problems.map(({ path, line, message, suggestion }) => (
        <li key={`${path} ${message}`}>
          {line !== null && (
            <button type="button" class="quiet" onClick={() => goToLine(line)}>
              line {line}
            </button>
          )}
          <span>
            <code>{path}</code> {message}
            {suggestion !== undefined && `; did you mean ${suggestion}?`}
          </span>
        </li>
      ))}
    </ul>
    <Commands texts={['sluice check kong.yml']} />
  </Panel>
);

const Applying = ({
  checked: { text, answer },
  isFresh,
  reload,
}: {
  checked: Checked;
  /** False: something else is typed by now and not checked yet. */
  isFresh: boolean;
  reload: () => void;
}) => {
  const { view } = useLive();
  const [message, setMessage] = useState('');
  const [done, setDone] = useState('');
  const [error, setError] = useState<AskError | undefined>();
  const changes = { counts: { added: 0, changed: 0, removed: 0 }, changes: [], changesLeftOut: 0, ...answer };
  const count = countOf(changes);
  const isOld = view !== undefined && view.configuration.version > answer.version;
  const apply = async (event: Event) => {
    event.preventDefault();
    try {
      const { headers } = await ask('/config', {
        method: 'POST',
        yaml: text,
        message,
        expectedVersion: answer.version,
      });
      setError(undefined);
      setDone(
        `${headers.get('x-sluice-generation')} is live on ${headers.get('x-sluice-acknowledged')} edges.`,
      );
    } catch (problem) {
      setError(asAskError(problem));
    }
  };
  return (
    <Panel title="Against what is live" aside={`r${answer.version}`}>
      {done !== '' ? (
        <p class="done" role="status">
          {done}{' '}
          <button type="button" class="quiet" onClick={reload}>
            Go on from there
          </button>
        </p>
      ) : (
        <>
          <ChangeList of={changes} />
          {answer.warnings.map((warning) => (
            <p key={warning}>
              <Badge tone="warn">warning</Badge> {warning}
            </p>
          ))}
          {isOld && (
            <p>
              <Badge tone="warn">r{view.configuration.version}</Badge> is live by now.{' '}
              <button type="button" class="quiet" onClick={reload}>
                Begin anew with it
              </button>
            </p>
          )}
          <form class="fields" onSubmit={(event) => void apply(event)}>
            <label>
              Why
              <input
                value={message}
                maxLength={1000}
                onInput={(event) => setMessage(event.currentTarget.value)}
              />
            </label>
            <button type="submit" disabled={count === 0 || !isFresh}>
              {isFresh ? `Apply ${count === 1 ? '1 change' : `${count} changes`}` : 'Checking'}
            </button>
          </form>
        </>
      )}
      {error && <Problem error={error} />}
      <Commands texts={[`sluice apply kong.yml -m ${message === '' ? "'why'" : quoted(message)}`]} />
    </Panel>
  );
};
