/** A body for POST /config, and whether it may be one that is accepted. */
export interface HostileDocument {
  readonly name: string;
  readonly type: string;
  readonly body: string | Buffer;
  /** `refused`: 4xx. `harmless`: 4xx, or accepted, for what is odd and yet means something. */
  readonly verdict: 'refused' | 'harmless';
}

const YAML = 'application/yaml';
const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=b';
const PART = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
const HEAD = '_format_version: "3.0"\n';

const yaml = (name: string, text: string | Buffer, type = YAML): HostileDocument => ({
  ...{ name, type, body: text, verdict: 'refused' },
});
const json = (name: string, text: string): HostileDocument => yaml(name, text, JSON_TYPE);

const bombOf = (levels: number): string =>
  [
    'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
    ...Array.from(
      { length: levels },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`,
    ),
  ].join('\n');

/** No document at all, or one that two readers would read in two ways. */
const MALFORMED: readonly HostileDocument[] = [
  yaml('nothing', ''),
  yaml('blanks', '   \n\n'),
  yaml('a scalar', 'hello'),
  yaml('a number', '42'),
  yaml('a list', '- a\n- b\n'),
  yaml('null', 'null'),
  yaml('no version', 'services: []\n'),
  yaml('a version nobody knows', '_format_version: "9.9"\n'),
  yaml('a version that is a list', '_format_version: [3]\n'),
  yaml('an unknown entity', `${HEAD}gadgets: [{name: a}]\n`),
  yaml('an entity that is no list', `${HEAD}services: 7\n`),
  yaml('quotes without an end', `${HEAD}services: [{host: "a`),
  yaml('tabs for blanks', `${HEAD}services:\n\t- name: a\n`),
  yaml('two documents', `${HEAD}---\n${HEAD}`),
  yaml('a name twice', `${HEAD}services: []\nservices: []\n`),
  yaml('an anchor that is not there', `${HEAD}services: *nobody\n`),
  yaml('an anchor that holds itself', `${HEAD}services: &a [*a]\n`),
  yaml('a tag of a language', `${HEAD}services: !!js/function "function () { return 1 }"\n`),
  yaml('a tag of another one', `${HEAD}services: !!python/object/apply:os.system [ls]\n`),
  yaml('bytes', Buffer.from([0, 1, 2, 3, 255])),
  yaml(
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from(`${HEAD}services: [{host: `), Buffer.from([0xc3, 0x28]), Buffer.from('}]')]),
  ),
  yaml('UTF-16', Buffer.from(`\ufeff${HEAD}`, 'utf16le')),
  json('JSON that stops', '{"_format_version":"3.0","services":['),
  json('JSON with more behind it', '{"_format_version":"3.0"} {}'),
  json('a list in JSON', '[]'),
  json('a text in JSON', '"hello"'),
  json('null in JSON', 'null'),
  json('an empty config', '{"config":""}'),
  json('a config that is no text', '{"config":{"a":1}}'),
  { ...yaml('a type nobody reads', HEAD), type: 'application/x-tar' },
  { ...yaml('no type', HEAD), type: '' },
];

const BOMBS: readonly HostileDocument[] = [
  yaml('a bomb of nine levels', `${HEAD}${bombOf(9)}\n`),
  yaml('a bomb of a hundred levels', `${HEAD}${bombOf(100)}\n`),
  yaml(
    'a bomb of merged keys',
    `${HEAD}a: &a {x: 1}\nservices:\n${'- {<<: [*a, *a, *a, *a, *a, *a, *a]}\n'.repeat(2000)}`,
  ),
  json('a bomb in a form of JSON', JSON.stringify({ config: `${HEAD}${bombOf(12)}\n` })),
  yaml('lists in lists', `${HEAD}services: ${'['.repeat(100_000)}`),
  yaml('lists in lists that end', `${HEAD}services: ${'['.repeat(5000)}${']'.repeat(5000)}`),
  yaml('maps in maps', `${HEAD}${Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}`),
  yaml('dashes in dashes', `${HEAD}services:\n${'- '.repeat(20_000)}x`),
  json(
    'lists in lists in JSON',
    `{"_format_version":"3.0","services":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ),
  json(
    'maps in maps in JSON',
    `{"_format_version":"3.0","services":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
  ),
  yaml(
    'a hundred thousand anchors',
    `${HEAD}${Array.from({ length: 100_000 }, (_, i) => `a${i}: &a${i} x`).join('\n')}\n`,
  ),
];

const PROTOTYPES: readonly HostileDocument[] = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
].flatMap((key) => [
  json(`${key} in the document`, `{"_format_version":"3.0","${key}":{"services":[]}}`),
  json(`${key} in a service`, `{"_format_version":"3.0","services":[{"host":"a","${key}":{"host":"b"}}]}`),
  json(
    `${key} in a plugin`,
    `{"_format_version":"3.0","plugins":[{"name":"cors","config":{"${key}":{"x":1}}}]}`,
  ),
  yaml(`${key} in YAML`, `${HEAD}services:\n- ${key}: {host: x}\n  name: a\n`),
  json(`${key} as a plugin`, `{"_format_version":"3.0","plugins":[{"name":"${key}"}]}`),
]);

/** Of the patterns that Kong's PCRE takes some need exponential time; ours are linear or refused. */
const PATTERNS = [
  '(a+)+$',
  '(a|a)*$',
  '(a|aa)+$',
  '(.*a){20}$',
  '([a-z]+)*\\d$',
  '(?:(?:a*)*)*b',
  'a{1,1000}{1,1000}',
  '(?=a)*',
  '(a)\\1+',
  '(',
  '[',
  '(?<',
  '\\',
];
const REDOS: readonly HostileDocument[] = PATTERNS.flatMap((pattern) => {
  const on = (place: string, route: object): HostileDocument => ({
    ...json(
      `${pattern} in ${place}`,
      JSON.stringify({ _format_version: '3.0', routes: [{ name: 'r', paths: ['/redos'], ...route }] }),
    ),
    verdict: 'harmless',
  });
  const by = (name: string, config: object) => on(name, { plugins: [{ name, config }] });
  return [
    on('a path', { paths: [`~/redos/${pattern}`] }),
    on('a header', { headers: { 'x-a': [`~*${pattern}`] } }),
    by('bot-detection', { deny: [pattern] }),
    by('ai-prompt-guard', { deny_patterns: [pattern] }),
    by('cors', { origins: [pattern] }),
  ];
});

const LINE_BREAKS = ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\u0000b', 'a\u001b[31m'];
const BROKEN_LINES: readonly HostileDocument[] = LINE_BREAKS.flatMap((text) => {
  const shown = JSON.stringify(text);
  const bad = (place: string, document: object): HostileDocument => ({
    ...json(`${shown} in ${place}`, JSON.stringify({ _format_version: '3.0', ...document })),
    verdict: place.startsWith('a value') ? 'harmless' : 'refused',
  });
  return [
    bad("a service's name", { services: [{ name: text, host: 'a' }] }),
    bad("a service's host", { services: [{ host: text }] }),
    bad("a route's host", { routes: [{ hosts: [text] }] }),
    bad("a header's name", { routes: [{ paths: ['/'], headers: { [text]: ['x'] } }] }),
    bad("a transformer's header", {
      plugins: [{ name: 'request-transformer', config: { add: { headers: [`${text}:1`] } } }],
    }),
    bad('a value: path', { routes: [{ paths: [`/${text}`] }] }),
    bad('a value: tag', { services: [{ host: 'a', tags: [text] }] }),
    bad("a value: transformer's", {
      plugins: [{ name: 'request-transformer', config: { add: { headers: [`X-A:${text}`] } } }],
    }),
    bad('a value: realm', {
      plugins: [{ name: 'basic-auth', config: { realm: text }, route: null, enabled: false }],
    }),
  ];
});

/** Bodies of so many megabytes; the last one is larger than an Admin API reads. */
export const hugeDocuments = (megabytes: number): readonly HostileDocument[] => {
  const size = megabytes * 1024 * 1024;
  const named = (what: string) => `${what} of ${megabytes} MB`;
  const names = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',');
  return [
    yaml(named('a text'), `${HEAD}services: [{host: ${'a'.repeat(size)}}]\n`),
    json(named('a JSON text'), `{"_format_version":"3.0","services":[{"host":"${'a'.repeat(size)}"}]}`),
    json(named('a list'), `{"_format_version":"3.0","services":[${'1,'.repeat(size / 2)}1]}`),
    json(named('empty lists'), `{"_format_version":"3.0","services":[${'[],'.repeat(size / 3)}[]]}`),
    json(named('names'), `{"_format_version":"3.0","services":[{"host":"a",${names(size / 12)}}]}`),
    yaml(named('a comment'), `${HEAD}#${'a'.repeat(size)}\nservices: 7\n`),
    yaml(named('wrong entities'), `${HEAD}services:\n${'- nmae: s\n'.repeat(size / 10)}`),
    yaml(named('flow lists'), `${HEAD}services: [${'[],'.repeat(size / 3)}[]]\n`),
    yaml(named('quotes'), `${HEAD}services: '${"''".repeat(size / 2)}'\n`),
    yaml(named('line breaks'), `${HEAD}${'\r\n'.repeat(size / 2)}services: 7\n`),
    json(named('brackets'), '['.repeat(size)),
    json(named('maps in maps'), '{"a":'.repeat(size / 5)),
    yaml(named('brackets in YAML'), `{"services":${'['.repeat(Math.min(size, 31 * 1024 * 1024))}`),
    yaml(named('fields of a form'), 'a&'.repeat(size / 2), FORM),
    yaml(named('parts of a form'), `${PART.repeat(size / PART.length)}--b--\r\n`, MULTIPART),
    yaml(named('headers of a part'), `--b\r\n${'X-A: 1\r\n'.repeat(size / 8)}\r\n--b--\r\n`, MULTIPART),
    yaml('more than is read', Buffer.alloc(65 * 1024 * 1024, 0x61)),
  ];
};

const WRONG: readonly unknown[] = [
  true,
  -1,
  1e308,
  'x'.repeat(100_000),
  [],
  {},
  [[[]]],
  [null],
  { a: { b: 1 } },
];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  services: [
    'host',
    'port',
    'protocol',
    'path',
    'retries',
    'connect_timeout',
    'tags',
    'enabled',
    'tls_verify',
    'ca_certificates',
  ],
  routes: [
    'paths',
    'methods',
    'hosts',
    'headers',
    'protocols',
    'service',
    'regex_priority',
    'strip_path',
    'snis',
  ],
  upstreams: ['name', 'algorithm', 'slots', 'healthchecks', 'hash_on', 'tags'],
  consumers: ['username', 'custom_id', 'jwt_secrets', 'keyauth_credentials', 'tags'],
  plugins: ['name', 'config', 'route', 'consumer', 'protocols', 'enabled', 'mode'],
  certificates: ['cert', 'key', 'snis'],
  issuers: ['name', 'issuer', 'algorithms', 'audiences'],
};
const VALID: Readonly<Record<string, object>> = {
  services: { host: 'a.test' },
  routes: { paths: ['/never'], hosts: ['never.test'] },
  upstreams: { name: 'u' },
  consumers: { username: 'c' },
  plugins: { name: 'cors', enabled: false },
  certificates: {},
  issuers: { name: 'i', issuer: 'https://issuer.test' },
};
const WRONG_TYPES: readonly HostileDocument[] = Object.entries(FIELDS).flatMap(([kind, fields]) =>
  fields.flatMap((field) =>
    WRONG.map((value) => ({
      ...json(
        `${kind}.${field} as ${JSON.stringify(value).slice(0, 20)}`,
        JSON.stringify({ _format_version: '3.0', [kind]: [{ ...VALID[kind], [field]: value }] }),
      ),
      verdict: 'harmless' as const, // an empty list is one of nothing
    })),
  ),
);

/** By group, the order in which they are posted. */
export const HOSTILE_DOCUMENTS: Readonly<Record<string, readonly HostileDocument[]>> = {
  'no document': MALFORMED,
  'bombs and depth': BOMBS,
  'names of prototypes': PROTOTYPES,
  'patterns without an end': REDOS,
  'line breaks and control characters': BROKEN_LINES,
  'wrong types': WRONG_TYPES,
};
