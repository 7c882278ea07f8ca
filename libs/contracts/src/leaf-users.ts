import { BUS_USERS, type BusPermissions, inboxPrefixOf, permissionsOf } from './bus-users.ts';
import type { Party } from './contract.ts';
import { contracts } from './registry.ts';

/** The JetStream domain of the servers that hold the streams, where leaf nodes are attached to them. */
export const HUB_DOMAIN = 'sluice';

/** As whom a leaf node logs in at the hub: its edges are users of the leaf, and the hub knows the leaf alone. */
export const LEAF_USER = 'leaf' as const;

/**
 * What a leaf node with edges behind it may do at the hub: what an edge may. Two things are put otherwise there. The
 * JetStream API of another domain has the domain in its subjects; and a server does not let a leaf node answer where
 * it was asked to (`allow_responses` is for clients), so the inboxes of those who ask edges are named.
 */
export const leafPermissions = (): BusPermissions => {
  const { publish, subscribe } = permissionsOf('edge-proxy');
  return {
    publish: [...publish.map(inHubDomain), ...inboxesOfAskers()].sort(),
    subscribe,
    answersWithinMs: undefined,
  };
};

/**
 * What an edge may do at its leaf node. The leaf puts the domain into a subject of the JetStream API before it looks
 * whether the edge may publish it, so both are named.
 */
export const permissionsAtLeaf = (): BusPermissions => {
  const permissions = permissionsOf('edge-proxy');
  const publish = [...permissions.publish, ...permissions.publish.map(inHubDomain)];
  return { ...permissions, publish: [...new Set(publish)].sort() };
};

const inHubDomain = (subject: string): string => subject.replace(/^\$JS\.API\./, `$JS.${HUB_DOMAIN}.API.`);

const inboxesOfAskers = (): string[] =>
  BUS_USERS.filter((user) => asksEdges(user === 'operator' ? 'cli' : user)).map(
    (user) => `${inboxPrefixOf(user)}.>`,
  );

const asksEdges = (asker: Party): boolean =>
  contracts.some(
    (one) =>
      one.kind === 'request-reply' &&
      [one.owner, ...(one.alongside ?? [])].includes('edge-proxy') &&
      one.askedBy.includes(asker),
  );
