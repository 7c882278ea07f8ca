import type { ComponentChildren } from 'preact';

/** One part of a page, with its title. */
export const Panel = ({
  title,
  aside,
  children,
  isWide = false,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  isWide?: boolean;
}) => (
  <section class={isWide ? 'panel wide' : 'panel'} aria-label={title}>
    <header>
      <h2>{title}</h2>
      {aside !== undefined && <span class="muted">{aside}</span>}
    </header>
    {children}
  </section>
);

/** Every page's head. */
export const Head = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="head">
    <h1>{title}</h1>
    {children}
  </div>
);

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** A word with a colour; the word alone says it, too. */
export const Badge = ({ tone, children }: { tone: Tone; children: ComponentChildren }) => (
  <span class={`badge ${tone}`}>{children}</span>
);

export const toneOfStatus = (status: number): Tone =>
  status >= 500 ? 'bad' : status >= 400 ? 'warn' : status >= 200 ? 'good' : 'plain';

/** A figure of the first row. */
export const Figure = ({
  name,
  value,
  unit,
  tone = 'plain',
}: {
  name: string;
  value: string;
  unit?: string;
  tone?: Tone;
}) => (
  <div class={`figure ${tone}`}>
    <dt>{name}</dt>
    <dd>
      {value}
      {unit !== undefined && <small> {unit}</small>}
    </dd>
  </div>
);

export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => ComponentChildren;
  readonly isNumber?: boolean;
  /** Left out where there is little room. */
  readonly isExtra?: boolean;
}

/** Rows and columns; scrolls by itself where it does not fit. */
export const Table = <R,>({
  columns,
  rows,
  label,
  keyOf,
  isStacked = false,
}: {
  columns: readonly Column<R>[];
  rows: readonly R[];
  label: string;
  keyOf: (row: R) => string;
  /** On a phone a row is a stack of its cells. */
  isStacked?: boolean;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard.
  <section class={isStacked ? 'table stacked' : 'table'} tabIndex={0} aria-label={label}>
    <table>
      <thead>
        <tr>
          {columns.map(({ title, isNumber, isExtra }) => (
            <th key={title} scope="col" class={classOf(isNumber, isExtra)}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, cell, isNumber, isExtra }) => (
              <td key={title} class={classOf(isNumber, isExtra)}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const classOf = (isNumber = false, isExtra = false): string =>
  [isNumber && 'number', isExtra && 'extra'].filter(Boolean).join(' ');
