import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  defaultHighlightStyle,
  HighlightStyle,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import type { Problem } from '../api/answers.ts';

/** What a page does with the editor. */
export interface YamlEditor {
  readonly text: () => string;
  readonly replace: (text: string) => void;
  readonly show: (problems: readonly Problem[]) => void;
  readonly goToLine: (line: number) => void;
  readonly destroy: () => void;
}

const COLOURS = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--ink)', height: '32rem', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' }, // the place of the editor shows it
  '.cm-scroller': { fontFamily: 'ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 8%, transparent)',
  },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent) !important',
  },
  '.cm-tooltip': { backgroundColor: 'var(--surface)', color: 'var(--ink)', border: '1px solid var(--line)' },
  '.cm-diagnostic': { padding: '4px 8px' },
  // Instead of CodeMirror's pictures in data URLs, which the policy forbids.
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--line-c)' },
  '.cm-lint-marker-error': {
    ...{ content: 'normal', backgroundColor: 'var(--line-c)', borderRadius: '50%' },
    ...{ width: '0.55em', height: '0.55em', margin: '0.35em 0.2em' },
  },
});

const OURS: Readonly<Record<string, string>> = {
  ...{ '#00c': 'accent', '#219': 'warn', '#164': 'warn' },
  ...{ '#940': 'muted', '#404740': 'muted', '#f00': 'bad' },
};

/** CodeMirror's own style for a light page, in the colours of this one: keys, scalars, comments, what is wrong. */
const WORDS = HighlightStyle.define(
  defaultHighlightStyle.specs.map((spec) => ({
    ...spec,
    color: `var(--${OURS[String(spec.color)] ?? 'ink'})`,
  })),
);

/**
 * What is typed over a selection goes to the state at once: Chromium would write it into the page with the style of
 * what it replaces, inline, and complain that the policy forbids it.
 */
const REPLACING = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { data, inputType, isComposing } = event;
    if (inputType !== 'insertText' || data === null || isComposing || view.state.selection.main.empty)
      return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

/**
 * An editor in a shadow root: there CodeMirror adopts its style sheets, where in the document it would write a style
 * element, which the policy forbids.
 */
export const openEditor = (
  host: HTMLElement,
  label: string,
  isReadOnly: boolean,
  changed: () => void,
): YamlEditor => {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root,
    parent: root,
    extensions: [
      ...[lineNumbers(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), lintGutter()],
      ...[yaml(), COLOURS, syntaxHighlighting(WORDS), EditorState.readOnly.of(isReadOnly)],
      keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]), // Tab leaves the editor, as in any field
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
      REPLACING,
      EditorView.updateListener.of(({ docChanged }) => {
        if (docChanged) changed();
      }),
    ],
  });
  return {
    text: () => view.state.doc.toString(),
    replace: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    show: (problems) =>
      view.dispatch(
        setDiagnostics(
          view.state,
          problems.map((one) => markOf(view.state.doc, one)),
        ),
      ),
    goToLine: (line) => {
      const { from } = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
      view.dispatch({
        selection: { anchor: from },
        effects: EditorView.scrollIntoView(from, { y: 'center' }),
      });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
};

const markOf = (doc: Text, { line, column, message, suggestion, path }: Problem): Diagnostic => {
  const at = doc.line(Math.min(Math.max(1, line ?? 1), doc.lines));
  const from = Math.min(at.to, at.from + Math.max(0, (column ?? 1) - 1));
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return { from, to: Math.max(from, at.to), severity: 'error', message: `${path}: ${message}${hint}` };
};
