import { z } from 'zod';
import type { Contract, EventContract, RequestReplyContract } from './contract.ts';
import { STREAMS, type StreamDefinition } from './streams.ts';

type Json = Readonly<Record<string, unknown>>;
interface Message {
  readonly role: 'request' | 'reply' | 'event';
  readonly contract: Contract;
  readonly schema: z.ZodType;
  readonly examples: readonly { readonly name: string; readonly payload: unknown }[];
}

/** The contract's name in the document: its subject without the braces, which no reference may hold. */
export const channelId = ({ subject }: Pick<Contract, 'subject'>): string => subject.replaceAll(/[{}]/g, '');

/**
 * The contracts as an AsyncAPI 3.1.0 document. Each subject is a channel, with `x-stream` where JetStream keeps
 * it, and one operation seen from its owner: who answers a request receives it, who announces an event sends it.
 */
export const toAsyncApi = (contracts: readonly Contract[]): Json => {
  const messages = contracts.flatMap(messagesOf);
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Sluice on NATS',
      version: '1.0.0',
      description:
        'Every message between the processes of the gateway. A subject of a request carries its version; ' +
        'within a version only optional fields are added. Readers ignore fields they do not know.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { bus: { host: '127.0.0.1:4222', protocol: 'nats', description: 'Set by NATS_URL.' } },
    channels: Object.fromEntries(contracts.flatMap(channelsOf)),
    operations: Object.fromEntries(contracts.map((contract) => [channelId(contract), operationOf(contract)])),
    components: {
      messages: Object.fromEntries(messages.map((message) => [messageId(message), messageOf(message)])),
    },
  };
};

const messagesOf = (contract: Contract): Message[] => {
  const messages = (role: Message['role'], schema: z.ZodType, payloads: readonly unknown[]): Message => ({
    role,
    contract,
    schema,
    examples: contract.examples.map(({ name }, i) => ({ name, payload: payloads[i] })),
  });
  if (contract.kind === 'event')
    return [
      messages(
        'event',
        contract.payload,
        contract.examples.map(({ payload }) => payload),
      ),
    ];
  const { request, reply, examples } = contract;
  return [
    messages(
      'request',
      request,
      examples.map((example) => example.request),
    ),
    messages(
      'reply',
      reply,
      examples.map((example) => example.reply),
    ),
  ];
};

const messageId = ({ role, contract }: Pick<Message, 'role' | 'contract'>): string =>
  role === 'event' ? channelId(contract) : `${channelId(contract)}.${role}`;

const messageOf = (message: Message): Json => ({
  name: messageId(message),
  summary: message.contract.summary,
  contentType: message.schema instanceof z.ZodUnknown ? 'application/octet-stream' : 'application/json',
  payload: schemaOf(message.schema),
  examples: message.examples,
});

/** What a sender has to write: fields with a default may be missing. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
};

const reference = (...path: readonly string[]): Json => ({ $ref: `#/${path.join('/')}` });

const channelsOf = (contract: Contract): [string, Json][] => {
  const id = channelId(contract);
  if (contract.kind === 'event') return [[id, eventChannel(contract)]];
  const messagesOfRole = (role: 'request' | 'reply') => ({
    [role]: reference('components', 'messages', `${id}.${role}`),
  });
  const summary = `Inbox of who asked ${contract.subject}; its name travels with the request.`;
  return [
    [id, { address: contract.subject, summary: contract.summary, messages: messagesOfRole('request') }],
    [`${id}.reply`, { address: null, summary, messages: messagesOfRole('reply') }],
  ];
};

const eventChannel = (contract: EventContract): Json => {
  const tokens = [...contract.subject.matchAll(/\{([a-z]+)\}/g)].map(([, token = '']) => token);
  return {
    address: contract.subject,
    summary: contract.summary,
    messages: { event: reference('components', 'messages', channelId(contract)) },
    ...(tokens.length === 0
      ? {}
      : { parameters: Object.fromEntries(tokens.map((token) => [token, parameter])) }),
    ...(contract.stream === undefined ? {} : { 'x-stream': streamNamed(contract.stream) }),
  };
};

const parameter: Json = {
  description: 'One token of [A-Za-z0-9_-]{1,64}; any other text is `~` and its SHA-256 as base64url.',
};

const streamNamed = (name: string): StreamDefinition => {
  const found = Object.values(STREAMS).find((stream) => stream.name === name);
  if (found === undefined) throw new Error(`stream ${name} is not defined; add it to STREAMS`);
  return found;
};

const operationOf = (contract: Contract): Json => {
  const channel = reference('channels', channelId(contract));
  return contract.kind === 'event'
    ? {
        action: 'send',
        channel,
        summary: contract.summary,
        messages: [reference('channels', channelId(contract), 'messages', 'event')],
        'x-owner': contract.owner,
        'x-readers': contract.readers,
      }
    : { action: 'receive', channel, ...answering(contract) };
};

const answering = (contract: RequestReplyContract): Json => {
  const id = channelId(contract);
  return {
    summary: contract.summary,
    messages: [reference('channels', id, 'messages', 'request')],
    reply: {
      channel: reference('channels', `${id}.reply`),
      messages: [reference('channels', `${id}.reply`, 'messages', 'reply')],
    },
    ...(contract.queue === undefined
      ? {}
      : { bindings: { nats: { queue: contract.queue, bindingVersion: '0.1.0' } } }),
    'x-owner': contract.owner,
    'x-readers': contract.askedBy,
    'x-timeout-ms': contract.timeoutMs,
  };
};
