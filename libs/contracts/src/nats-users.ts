import { BUS_USERS, type BusPermissions, type BusUser, permissionsOf } from './bus-users.ts';
import { LEAF_USER, leafPermissions, permissionsAtLeaf } from './leaf-users.ts';

const quoted = (subjects: readonly string[], indent: string): string =>
  subjects.map((subject) => `\n${indent}  ${JSON.stringify(subject)}`).join('');

/** An empty list would allow everything. */
const rule = (subjects: readonly string[], indent: string): string =>
  subjects.length === 0 ? '{ deny: ">" }' : `{ allow: [${quoted(subjects, indent)}\n${indent}] }`;

/** A user as a nats-server knows it. */
interface NatsUser {
  readonly user: string;
  /** What stands behind `password:`: a quoted text, or `$NAME` of an environment variable. */
  readonly password: string;
  readonly permissions: BusPermissions;
}

const userText = ({ user, password, permissions }: NatsUser): string => {
  const { publish, subscribe, answersWithinMs } = permissions;
  const replies =
    answersWithinMs === undefined
      ? ''
      : `\n        allow_responses: { max: 1, expires: "${answersWithinMs}ms" }`;
  return `    {
      user: ${JSON.stringify(user)}
      password: ${password}
      permissions: {
        publish: ${rule(publish, '        ')}
        subscribe: ${rule(subscribe, '        ')}${replies}
      }
    }`;
};

/**
 * The block `authorization` of a nats-server from 2.9.10 on: a user for each kind of process, with nothing but what
 * the contracts give it.
 * @param passwordOf what stands behind `password:`.
 */
export const natsAuthorization = (passwordOf: (user: BusUser) => string): string =>
  authorizationOf(busUsers(passwordOf));

/** As above for the servers that hold the streams, where leaf nodes log in, too. */
export const hubAuthorization = (passwordOf: (user: BusUser | typeof LEAF_USER) => string): string =>
  authorizationOf([
    ...busUsers(passwordOf),
    { user: LEAF_USER, password: passwordOf(LEAF_USER), permissions: leafPermissions() },
  ]);

/** As above for a leaf node, which knows edges alone. */
export const leafAuthorization = (password: string): string =>
  authorizationOf([{ user: 'edge-proxy', password, permissions: permissionsAtLeaf() }]);

const busUsers = (passwordOf: (user: BusUser) => string): NatsUser[] =>
  BUS_USERS.map((user) => ({ user, password: passwordOf(user), permissions: permissionsOf(user) }));

const authorizationOf = (users: readonly NatsUser[]): string =>
  `authorization {
  timeout: 2 # seconds a client has to log in
  users: [
${users.map(userText).join('\n')}
  ]
}
`;

/** The variable in which a server of deploy/ finds a user's password. */
export const natsPasswordVariable = (user: BusUser | typeof LEAF_USER): string =>
  `NATS_${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`;
