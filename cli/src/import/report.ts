/** `changed`: it works, but not as it was written. `unsupported`: it does not work here. */
export type Status = 'mapped' | 'changed' | 'unsupported';

/** What became of an entity, or of one field of it. Never holds a value of the file that could be secret. */
export interface ReportLine {
  readonly status: Status;
  /** Such as `routes`; `document` for what belongs to no entity. */
  readonly collection: string;
  /** The entity as people know it; empty for the document. */
  readonly entity: string;
  /** Such as `config.redis.host`; absent where the line is about the entity. */
  readonly field?: string;
  readonly reason?: string;
  readonly remedy?: string;
}

export type Totals = Readonly<Record<Status, number>>;

export const totalsOf = (lines: readonly ReportLine[]): Totals => {
  const totals = { mapped: 0, changed: 0, unsupported: 0 };
  for (const { status } of lines) totals[status] += 1;
  return totals;
};

const STATUS_WIDTH = 12;

/** One line of text, without its status: `plugins 'acl' of route 'r' config.whitelist: reason. Remedy.` */
export const describeLine = ({ collection, entity, field, reason, remedy }: ReportLine): string => {
  const place = [collection, entity, field].filter((part) => part !== undefined && part !== '').join(' ');
  const said = [reason, remedy].filter((part) => part !== undefined).join('; ');
  return said === '' ? place : `${place}: ${said}`;
};

export const padStatus = (status: Status): string => status.padEnd(STATUS_WIDTH);
