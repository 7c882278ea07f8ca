import { BUS_USERS, type BusUser, permissionsOf } from './bus-users.ts';

const quoted = (subjects: readonly string[], indent: string): string =>
  subjects.map((subject) => `\n${indent}  ${JSON.stringify(subject)}`).join('');

/** An empty list would allow everything. */
const rule = (subjects: readonly string[], indent: string): string =>
  subjects.length === 0 ? '{ deny: ">" }' : `{ allow: [${quoted(subjects, indent)}\n${indent}] }`;

const userText = (user: BusUser, password: string): string => {
  const { publish, subscribe, answersWithinMs } = permissionsOf(user);
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
 * @param passwordOf what stands behind `password:`: a quoted text, or `$NAME` of an environment variable.
 */
export const natsAuthorization = (passwordOf: (user: BusUser) => string): string =>
  `authorization {
  timeout: 2 # seconds a client has to log in
  users: [
${BUS_USERS.map((user) => userText(user, passwordOf(user))).join('\n')}
  ]
}
`;

/** The variable in which a server of deploy/ finds a user's password. */
export const natsPasswordVariable = (user: BusUser): string =>
  `NATS_${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`;
