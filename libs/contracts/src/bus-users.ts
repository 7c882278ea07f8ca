import type { Contract, Party } from './contract.ts';
import { contracts } from './registry.ts';
import { STREAMS, type StreamDefinition } from './streams.ts';
import { subjectPattern } from './subject.ts';

/**
 * Who logs in at the bus, one user for each kind of process. What a user may do follows from the contracts alone: the
 * owner of a subject sends it, its readers receive it, and nothing else is allowed to either.
 */
export const BUS_USERS = [
  'edge-proxy',
  'auth',
  'ratelimit',
  'quota-mirror',
  'config-registry',
  'litellm',
  'operator',
] as const;
export type BusUser = (typeof BUS_USERS)[number];
type Process = Exclude<BusUser, 'operator'>;

export interface BusPermissions {
  readonly publish: readonly string[];
  /** `subject queue` where only a member of that queue group may subscribe. */
  readonly subscribe: readonly string[];
  /** May answer a question it was asked, once, for so long in ms; undefined: it is asked nothing. */
  readonly answersWithinMs: number | undefined;
}

/** The server keeps each question in mind for so long, and no process is as slow at its slowest. */
const SHORTEST_ANSWER_MS = 1000;
const LONGEST_ANSWER_MS = 5000;

/**
 * What the subjects begin with on which a user receives replies: nobody else may subscribe to them. LiteLLM is not
 * ours and uses the clients' default.
 */
export const inboxPrefixOf = (user: BusUser): string => (user === 'litellm' ? '_INBOX' : `_INBOX_${user}`);

/** What a user of the bus may do. The operator may do everything that is not the server's own. */
export const permissionsOf = (user: BusUser): BusPermissions => {
  if (user === 'operator') return { publish: ['>'], subscribe: ['>'], answersWithinMs: LONGEST_ANSWER_MS };
  const asked = contracts.filter((one) => one.kind === 'request-reply' && sendersOf(one).includes(user));
  return {
    publish: sorted([
      ...contracts.filter((one) => mayPublish(user, one)).map(subjectPattern),
      ...streams.flatMap((stream) => streamRights(user, stream)),
    ]),
    subscribe: sorted([
      `${inboxPrefixOf(user)}.>`,
      ...contracts.filter((one) => isHeardBy(user, one)).map(subjectPattern),
      ...asked.map(questionsOf),
      ...(user === 'litellm' ? [] : discoveryOf(user)),
    ]),
    answersWithinMs: asked.length === 0 ? undefined : answerTime(asked),
  };
};

/** NATS' own discovery of services asks all, those of a name, or one. */
const discoveryOf = (user: Process): string[] =>
  ['PING', 'INFO', 'STATS'].flatMap((verb) => [
    `$SRV.${verb}`,
    `$SRV.${verb}.${user}`,
    `$SRV.${verb}.${user}.*`,
  ]);

/** Twice the time in which somebody waits for it: clocks and queues differ. */
const answerTime = (asked: readonly Contract[]): number =>
  Math.max(SHORTEST_ANSWER_MS, ...asked.map((one) => (one.kind === 'request-reply' ? 2 * one.timeoutMs : 0)));

const streams: readonly StreamDefinition[] = Object.values(STREAMS);
const sorted = (subjects: readonly string[]): string[] => [...new Set(subjects)].sort();

/** Does a pattern with `*` and `>` take in a subject, or every subject of another pattern? */
const takesIn = (pattern: string, subject: string): boolean => {
  const [wide, narrow] = [pattern.split('.'), subject.split('.')];
  for (const [i, token] of wide.entries()) {
    if (token === '>') return narrow.length > i;
    if (narrow[i] === undefined || (token !== '*' && token !== narrow[i])) return false;
  }
  return wide.length === narrow.length;
};

/** The stream that sends a subject out again once it has stored it; no process publishes such a subject. */
const republisherOf = (contract: Contract): StreamDefinition | undefined =>
  streams.find(({ republish }) => republish !== undefined && takesIn(republish.to, subjectPattern(contract)));

const sendersOf = ({ owner, alongside = [] }: Contract): readonly Party[] => [owner, ...alongside];

const mayPublish = (user: Process, contract: Contract): boolean =>
  contract.kind === 'request-reply'
    ? contract.askedBy.includes(user)
    : sendersOf(contract).includes(user) && republisherOf(contract) === undefined;

/** What a stream keeps is read from the stream: its own subject also carries what the stream refused. */
const isHeardBy = (user: Process, contract: Contract): boolean =>
  contract.kind === 'event' && contract.stream === undefined && contract.readers.includes(user);

/** With the queue in it: a subscription without would hear what is meant for others of the group. */
const questionsOf = (contract: Contract): string =>
  contract.kind === 'request-reply' && contract.queue !== undefined
    ? `${contract.subject} ${contract.queue}`
    : contract.subject;

const reads = (user: Process, { name }: StreamDefinition): boolean =>
  contracts.some(
    (contract) =>
      contract.kind === 'event' &&
      contract.readers.includes(user) &&
      (contract.stream === name || republisherOf(contract)?.name === name),
  );

/** Subjects of the JetStream API: for its keeper what makes and reads a stream, for readers direct gets. */
const streamRights = (user: Process, stream: StreamDefinition): string[] => {
  const { name, keeper, allowDirect = false, denyPurge = false } = stream;
  const isKeeper = user === keeper;
  if (!isKeeper && !(allowDirect && reads(user, stream))) return [];
  const direct = [`$JS.API.DIRECT.GET.${name}`, `$JS.API.DIRECT.GET.${name}.>`];
  return [
    `$JS.API.STREAM.INFO.${name}`,
    ...(allowDirect ? direct : []),
    ...(isKeeper ? [`$JS.API.STREAM.CREATE.${name}`, `$JS.API.STREAM.UPDATE.${name}`] : []),
    ...(isKeeper && stream.isPurged === true && !denyPurge ? [`$JS.API.STREAM.PURGE.${name}`] : []),
    ...(isKeeper ? consumerRights(stream) : []),
  ];
};

const consumerRights = ({ name, durables = [], isReadWhole = false }: StreamDefinition): string[] => [
  ...durables.flatMap((durable) => [
    `$JS.API.STREAM.MSG.GET.${name}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${name}.${durable}`,
    `$JS.API.CONSUMER.CREATE.${name}.${durable}`,
    `$JS.API.CONSUMER.CREATE.${name}.${durable}.>`,
    `$JS.API.CONSUMER.INFO.${name}.${durable}`,
    `$JS.API.CONSUMER.MSG.NEXT.${name}.${durable}`,
    `$JS.ACK.${name}.${durable}.>`,
    `$JS.ACK.*.*.${name}.${durable}.>`, // with domain and account, as newer servers may write it
  ]),
  // A consumer for one reading: the server draws its name.
  ...(isReadWhole
    ? [
        `$JS.API.CONSUMER.CREATE.${name}`,
        `$JS.API.CONSUMER.INFO.${name}.*`,
        `$JS.API.CONSUMER.MSG.NEXT.${name}.*`,
        `$JS.API.CONSUMER.DELETE.${name}.*`,
      ]
    : []),
];
