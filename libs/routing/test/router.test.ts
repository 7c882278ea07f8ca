import type { Route } from '@sluice/gateway-config';
import { describe, expect, test } from 'vitest';
import { Router } from '../src/router.ts';
import { type Asked, fill, requestOf, routeOf } from './routes.ts';

type Table = Readonly<Record<string, Partial<Route>>>;
const on = (host: string, path = '/', method = 'GET', sent: Asked['sent'] = {}): Asked => ({
  host,
  path,
  method,
  sent,
});
const scene = (name: string, table: Table, rows: readonly [string, Asked, string | undefined][]) =>
  describe(name, () => {
    const router = new Router<string>();
    fill(router, table);
    test.each(rows)('%s', (_title, asked, expected) => {
      expect(router.match(requestOf(asked))?.value).toBe(expected);
    });
  });

const verbs = { methods: ['POST', 'PUT', 'PATCH'] };
const places = { location: ['my-location-1', 'my-location-2'] };

scene(
  'all configured attributes must match',
  {
    host: { hosts: ['domain-1.test', 'Domain-2.test'] },
    method: { methods: ['OPTIONS'] },
    path: { paths: ['/my-route'] },
    hostpath: { hosts: ['domain-1.test'], paths: ['/route-4'] },
    hostmethod: { hosts: ['domain-1.test'], ...verbs },
    pathmethod: { paths: ['/route-6'], ...verbs },
    hpm: { hosts: ['uri-1.test', 'uri-2.test'], paths: ['/my-route-uri'], ...verbs },
    hdr: { headers: places },
    hdr2: { headers: { location: ['my-location-1'], Version: ['v1', 'V2'] } },
    hdrpath: { headers: places, paths: ['/headers-uri'] },
    all: { hosts: ['hdr-2.test'], headers: places, paths: ['/all-four'], ...verbs },
    ua: { headers: { 'x-agent': ['~*windows|Linux|os\\s+x\\s*[\\d\\._]+|solaris|bsd'] } },
    purge: { methods: ['PURGE', 'LINK'], paths: ['/purge'] },
    sniffed: { paths: ['/sni'], snis: ['sni.test.', '*.wild-sni.test'] },
    stream: { protocols: ['tcp'], paths: ['/stream'] },
  },
  [
    ['host alone', on('domain-1.test'), 'host'],
    ['second host of the list, written in upper case', on('domain-2.test'), 'host'],
    ['path alone, any host', on('x.test', '/my-route/some/path'), 'path'],
    ['method alone', on('x.test', '/nothing', 'OPTIONS'), 'method'],
    ['host and path', on('domain-1.test', '/route-4'), 'hostpath'],
    ['host and method', on('domain-1.test', '/', 'POST'), 'hostmethod'],
    ['path and method', on('x.test', '/route-6', 'PUT'), 'pathmethod'],
    ['three attributes', on('uri-2.test', '/my-route-uri', 'PATCH'), 'hpm'],
    ['method outside the list', on('x.test', '/route-6', 'GET'), undefined],
    ['method in lower case', on('x.test', '/route-6', 'put'), undefined],
    ['host outside the list', on('domain-3.test', '/route-4'), undefined],
    ['the path elsewhere in the URL', on('x.test', '/some/my-route'), undefined],
    ['paths are case-sensitive', on('x.test', '/My-Route'), undefined],
    ['nothing matches', on('nowhere.test'), undefined],
    ['no host at all', on('', '/my-route'), 'path'],
    ['path beats method', on('x.test', '/my-route', 'OPTIONS'), 'path'],
    ['host beats method', on('domain-2.test', '/', 'OPTIONS'), 'host'],
    ['first header value', on('x.test', '/', 'GET', { location: ['my-location-1'] }), 'hdr'],
    [
      'two headers beat one',
      on('x.test', '/', 'GET', { location: ['my-location-1'], version: ['v2'] }),
      'hdr2',
    ],
    [
      'unknown second header',
      on('x.test', '/', 'GET', { location: ['my-location-1'], version: ['v3'] }),
      'hdr',
    ],
    ['header and path', on('x.test', '/headers-uri', 'GET', { location: ['my-location-2'] }), 'hdrpath'],
    ['four attributes', on('hdr-2.test', '/all-four', 'PUT', { location: ['my-location-2'] }), 'all'],
    ['four attributes, one wrong', on('hdr-2.test', '/all-four', 'PUT', { location: ['no'] }), undefined],
    ['header values ignore case', on('x.test', '/', 'GET', { location: ['MY-Location-1'] }), 'hdr'],
    ['any of several equal headers', on('x.test', '/', 'GET', { location: ['no', 'my-location-2'] }), 'hdr'],
    ['header regex', on('x.test', '/', 'GET', { 'x-agent': ['Mozilla on LINUX x86'] }), 'ua'],
    ['header regex that does not match', on('x.test', '/', 'GET', { 'x-agent': ['plan9'] }), undefined],
    ['a method of nobody', on('x.test', '/purge', 'PURGE'), 'purge'],
    ['another method of nobody', on('x.test', '/purge', 'UNLINK'), undefined],
    ['sni without TLS is not considered', { path: '/sni' }, 'sniffed'],
    ['sni over TLS', { path: '/sni', scheme: 'https', sni: 'SNI.test' }, 'sniffed'],
    ['sni with a wildcard', { path: '/sni', scheme: 'https', sni: 'a.wild-sni.test' }, 'sniffed'],
    ['another sni over TLS', { path: '/sni', scheme: 'https', sni: 'other.test' }, undefined],
    ['no sni over TLS', { path: '/sni', scheme: 'https' }, undefined],
    ['a stream route is not for HTTP', on('x.test', '/stream'), undefined],
  ],
);

scene(
  'the longest prefix wins',
  {
    root: { paths: ['/'] },
    short: { paths: ['/my-route'] },
    long: { paths: ['/my-route/hello'] },
    hshort: { hosts: ['h.test'], paths: ['/h'] },
    hlong: { hosts: ['h.test'], paths: ['/h/hello'] },
    hother: { hosts: ['other.test'], paths: ['/h/hello/world'] },
    foobar: { paths: ['/foobar'] },
    twolen: { hosts: ['len.test'], paths: ['/foo', '/foo/bar/baz'] },
    midlen: { hosts: ['len.test'], paths: ['/foo/bar'] },
    integrations: { paths: ['/v1/integrations'] },
    jira: { paths: ['/v1/integrations/jira'] },
    bytes: { hosts: ['utf.test'], paths: ['/\u00e9\u00e9'] },
    triplets: { hosts: ['enc.test'], paths: ['/caf%C3%A9%20au', '/a%2Fb'] },
  },
  [
    ['longer prefix, deeper', on('x.test', '/my-route/hello/world'), 'long'],
    ['shorter prefix', on('x.test', '/my-route/world'), 'short'],
    ['with hosts', on('h.test', '/h/hello/world/x'), 'hlong'],
    ['shorter with hosts', on('h.test', '/h/world'), 'hshort'],
    ['root is a catch-all', on('x.test', '/anything'), 'root'],
    ['a prefix needs no segment border', on('x.test', '/foobarbaz'), 'foobar'],
    ['paths of one route are ranked one by one: /foo', on('len.test', '/foo'), 'twolen'],
    ['paths of one route are ranked one by one: /foo/bar', on('len.test', '/foo/bar'), 'midlen'],
    ['paths of one route are ranked one by one: /foo/bar/baz', on('len.test', '/foo/bar/baz/x'), 'twolen'],
    ['vector 10', on('x.test', '/v1/integrations/jira/x'), 'jira'],
    ['a prefix beyond ASCII', on('utf.test', '/\u00e9\u00e9/x'), 'bytes'],
    ['a prefix stored in triplets', on('enc.test', '/caf\u00e9 au/lait'), 'triplets'],
    ['a reserved triplet stays one', on('enc.test', '/a%2Fb'), 'triplets'],
    ['a reserved triplet is not its character', on('enc.test', '/a/b'), 'root'],
  ],
);

scene(
  'regex paths',
  {
    num: { paths: ['~/users/\\d+/profile'] },
    three: { paths: ['~/route/persons/\\d{3}'] },
    following: { paths: ['~/route/persons/\\d{3}/following'], regex_priority: 5 },
    plain: { paths: ['/mix'] },
    regex: { paths: ['~/mix/\\d+/profile'] },
    rlow: { paths: ['~/status/(?<foo>re)'] },
    rhigh: { paths: ['~/status/(re)'], regex_priority: 4 },
    rneg: { paths: ['~/status/.*'], regex_priority: -1 },
    pathpost: { hosts: ['rx.test'], paths: ['/path'], methods: ['POST'] },
    rpath: { hosts: ['rx.test'], paths: ['~/(path)'] },
    dotted: { paths: ['/plain/a.b.c'] },
    mixed: { hosts: ['both.test'], paths: ['~/some/thing/else', '/foo'] },
    mixedlong: { hosts: ['both.test'], paths: ['/foo/bar'] },
    prio: { hosts: ['pp.test'], paths: ['/'], regex_priority: 5 },
    prion: { hosts: ['pp.test'], paths: ['/v1'] },
    vector12regex: { paths: ['~/a/(?<id>\\d+)$'], regex_priority: 5 },
    vector12prefix: { paths: ['/a/'] },
  },
  [
    ['matches', on('x.test', '/users/123/profile'), 'num'],
    ['does not match letters', on('x.test', '/users/foo/profile'), undefined],
    ['higher regex_priority first', on('x.test', '/route/persons/456/following'), 'following'],
    ['the other one', on('x.test', '/route/persons/456'), 'three'],
    ['a regex beats a prefix', on('x.test', '/mix/123/profile'), 'regex'],
    ['the prefix serves the rest', on('x.test', '/mix/abc'), 'plain'],
    ['regex_priority decides', on('x.test', '/status/re'), 'rhigh'],
    ['a negative regex_priority is the last', on('x.test', '/status/x'), 'rneg'],
    ['host and regex beat host and prefix', on('rx.test', '/path'), 'rpath'],
    ['three attributes beat host and regex', on('rx.test', '/path', 'POST'), 'pathpost'],
    ['a plain path is no pattern', on('x.test', '/plain/aXbXc'), undefined],
    ['regex part of a mixed route', on('both.test', '/some/thing/else'), 'mixed'],
    ['prefix part of a mixed route is ranked as a prefix', on('both.test', '/foo/bar'), 'mixedlong'],
    ['regex_priority is ignored for plain paths', on('pp.test', '/v1'), 'prion'],
    ['vector 12', on('x.test', '/a/12'), 'vector12regex'],
    ['vector 12, not for the regex', on('x.test', '/a/12x'), 'vector12prefix'],
  ],
);

scene(
  'hosts: wildcards and ports',
  {
    left: { hosts: ['*.route.test'] },
    right: { hosts: ['route.*'] },
    plain: { hosts: ['plain.route.test'] },
    bare: { hosts: ['route.test'] },
    wp1: { hosts: ['*.wild.test'], paths: ['/path1'] },
    wp2: { hosts: ['plain.wild.test'], paths: ['/path2'] },
    mixed: { hosts: ['*.meth.test', 'exact-meth.test'], paths: ['/path'], methods: ['GET', 'DELETE'] },
    mixedplain: { hosts: ['exact-meth.test'], paths: ['/p'], methods: ['GET'] },
    hg: { hosts: ['host.*'], methods: ['GET'] },
    hp: { hosts: ['host.*'], methods: ['POST'] },
    any: { hosts: ['domain-1.test'] },
    port: { hosts: ['domain-1.test:321'] },
    portonly: { hosts: ['domain-3.test:321'] },
    wildport: { hosts: ['*.wp.test:99'] },
    address: { hosts: ['[::1]:321'] },
    full: { hosts: ['full.test.:80'] },
  },
  [
    ['left-most wildcard', on('foo.route.test'), 'left'],
    ['it spans labels', on('a.b.route.test'), 'left'],
    ['right-most wildcard', on('route.example'), 'right'],
    ['plain beats left-most', on('plain.route.test'), 'plain'],
    ['plain beats right-most', on('route.test'), 'bare'],
    ['whatever the port', { host: 'foo.route.test', port: 123 }, 'left'],
    ['wildcard with path although a plain host is there', on('plain.wild.test', '/path1'), 'wp1'],
    ['plain host with path although a wildcard is there', on('plain.wild.test', '/path2'), 'wp2'],
    ['wildcard, path and method', on('foo.meth.test', '/path'), 'mixed'],
    ['wildcard, path, wrong method', on('foo.meth.test', '/path', 'POST'), undefined],
    ['plain entry of a mixed list', on('exact-meth.test', '/path', 'DELETE'), 'mixed'],
    ['a mixed list does not count as plain', on('exact-meth.test', '/path', 'GET'), 'mixedplain'],
    ['wildcard and method', on('host.example', '/', 'POST'), 'hp'],
    ['another domain', on('foo.other.example'), undefined],
    ['the wildcard stands for a label', on('xroute.test'), undefined],
    ['host with its port', { host: 'domain-1.test', port: 321 }, 'port'],
    ['host with another port', { host: 'domain-1.test', port: 80 }, 'any'],
    ['port-only host with another port', { host: 'domain-3.test', port: 123 }, undefined],
    ['wildcard with its port', { host: 'a.wp.test', port: 99 }, 'wildport'],
    ['wildcard with another port', { host: 'a.wp.test', port: 98 }, undefined],
    ['a full name with its dot', { host: 'full.test', port: 80 }, 'full'],
    ['an IPv6 address with its port', { host: '[::1]', port: 321 }, 'address'],
  ],
);

describe('the priority, highest first', () => {
  const path = '/very/long/path';
  const sent = { a: ['1'], b: ['1'] };
  const asked = requestOf({ host: 'a.com', path, sent });
  const cases: [string, Partial<Route>, Partial<Route>][] = [
    ['more kinds of attributes', { methods: ['GET'], paths: ['/'] }, { hosts: ['a.com'] }],
    ['vector 11: plain host beats any path', { hosts: ['a.com'] }, { paths: [path] }],
    ['plain hosts only', { hosts: ['a.com'] }, { hosts: ['a.com', '*.com'] }],
    ['plain host before headers', { hosts: ['a.com'] }, { headers: { a: ['1'], b: ['1'] } }],
    ['more headers', { headers: { a: ['1'], b: ['1'] } }, { headers: { a: ['1'] } }],
    ['headers before regex', { headers: { a: ['1'] } }, { paths: ['~/very'], regex_priority: 9 }],
    ['regex before prefix', { paths: ['~/v'] }, { paths: [path] }],
    ['higher regex_priority', { paths: ['~/v'], regex_priority: 1 }, { paths: ['~/very/long'] }],
    ['longer prefix', { paths: ['/very/l'] }, { paths: ['/very'] }],
  ];
  test.each(cases)('%s', (_title, stronger, weaker) => {
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const router = new Router<string>();
      router.upsert(routeOf(first, stronger), 'stronger');
      router.upsert(routeOf(second, weaker), 'weaker');
      expect(router.match(asked)?.value).toBe('stronger');
    }
  });

  test('given equal priority, then the larger id wins, whichever came first', () => {
    const router = new Router<string>();
    router.upsert(routeOf(2, { paths: ['/very'] }), 'two');
    router.upsert(routeOf(3, { paths: ['/very'] }), 'three');
    router.upsert(routeOf(1, { paths: ['/very'] }), 'one');
    expect(router.match(asked)?.value).toBe('three');
  });
});
