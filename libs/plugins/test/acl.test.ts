import { expect, test } from 'vitest';
import { acl } from '../src/acl.ts';
import type { Identity } from '../src/exchange.ts';
import { seen, testExchange } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const consumer = { id: 'c1' };
const credential = { id: 'k1', identifier: 'k1' };
const member = (...groups: string[]): Partial<Identity> => ({ consumer, credential, groups });
const guest = (...groups: string[]): Partial<Identity> => ({ consumer, groups });

const run = (config: object, identity?: Partial<Identity>) => {
  const exchange = testExchange(identity === undefined ? {} : { identity });
  const step = instance(acl, config).access(exchange);
  return { step, headers: seen(exchange.toUpstream) };
};

const ALLOW = { allow: ['gold', 'platinum'] };
const DENY = { deny: ['banned'] };

const passing: [string, object, Partial<Identity>, Record<string, string>][] = [
  ['a member', ALLOW, member('silver', 'gold'), { 'x-consumer-groups': 'silver, gold' }],
  ['someone not denied', DENY, member('gold'), { 'x-consumer-groups': 'gold' }],
  ['someone without groups who is not denied', DENY, member(), {}],
  ['a guest without groups who is not denied', DENY, guest(), {}],
  ['a guest who is a member', ALLOW, guest('gold'), { 'x-consumer-groups': 'gold' }],
  ['a member whose groups are hidden', { ...ALLOW, hide_groups_header: true }, member('gold'), {}],
  [
    'nobody’s credential with groups of its own',
    ALLOW,
    { credential, authenticatedGroups: ['gold'] },
    { 'x-authenticated-groups': 'gold' },
  ],
  [
    'a guest with groups of its own',
    ALLOW,
    { ...guest('silver'), authenticatedGroups: ['gold'] },
    { 'x-authenticated-groups': 'gold' },
  ],
  [
    'a member, whatever the credential brought',
    ALLOW,
    { ...member('gold'), authenticatedGroups: ['silver'] },
    { 'x-consumer-groups': 'gold' },
  ],
  [
    'a credential with the group, where those count first',
    { ...ALLOW, always_use_authenticated_groups: true },
    { ...member('silver'), authenticatedGroups: ['gold'] },
    { 'x-authenticated-groups': 'gold' },
  ],
  [
    'a member, where a credential’s groups count but it has none',
    { ...ALLOW, always_use_authenticated_groups: true },
    member('gold'),
    { 'x-consumer-groups': 'gold' },
  ],
];
test.each(passing)(
  'given %s, then the request passes and the upstream is told',
  (_, config, identity, headers) => {
    const ran = run(config, identity);
    expect(ran.step).toBeUndefined();
    expect(ran.headers).toEqual(headers);
  },
);

const FORBIDDEN = { status: 403, style: 'error', message: 'You cannot consume this service' };
const UNAUTHORIZED = { status: 401, style: 'error', message: 'Unauthorized' };
const refused: [string, object, Partial<Identity> | undefined, object][] = [
  ['no one', ALLOW, undefined, UNAUTHORIZED],
  ['no one on a deny list', DENY, undefined, UNAUTHORIZED],
  ['a credential of no consumer', ALLOW, { credential }, FORBIDDEN],
  ['a consumer of another group', ALLOW, member('silver'), FORBIDDEN],
  ['a consumer without groups', ALLOW, member(), FORBIDDEN],
  ['a guest without groups', ALLOW, guest(), UNAUTHORIZED],
  ['a guest of another group', ALLOW, guest('silver'), FORBIDDEN],
  ['a denied consumer', DENY, member('gold', 'banned'), FORBIDDEN],
  [
    'a member whose credential brought others, where those count first',
    { ...ALLOW, always_use_authenticated_groups: true },
    { ...member('gold'), authenticatedGroups: ['silver'] },
    FORBIDDEN,
  ],
];
test.each(refused)('given %s, then the request is refused', (_, config, identity, refusal) => {
  const ran = run(config, identity);
  expect(ran.step).toMatchObject(refusal);
  expect(ran.headers).toEqual({});
});

test('a group’s name cannot end the header it stands in', () => {
  const { headers } = run({ allow: ['a\r\nb'] }, member('a\r\nb', 'größe'));
  const bytes = Buffer.from('a%0D%0Ab, größe').toString('latin1');
  expect(headers).toEqual({ 'x-consumer-groups': bytes });
});

const ONE = "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'";
test.each([{}, { allow: [] }, { allow: ['a'], deny: ['b'] }])('the configuration %j is refused', (config) => {
  expect(problemsOf(acl, config)).toEqual({ '': ONE });
});
