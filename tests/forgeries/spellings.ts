import { bytes, hmac, jws, part } from '../forge-token.ts';
import { claimsOf, type Family, type Forgery, oidcOf, SECRET } from './forgery.ts';

const byAlice = hmac('sha256', SECRET);
/** Tokens that were signed by a key that counts: what is wrong is how they are written. */
const badlyWritten = (header: object | string, claims: object | string): string =>
  jws(header, claims, byAlice);

const critical = function* (): Generator<Forgery> {
  for (const crit of [['exp'], ['b64'], ['http://example.com/x'], [], 'exp', null, {}])
    yield {
      name: `crit ${JSON.stringify(crit)}`,
      token: badlyWritten({ alg: 'HS256', crit, b64: false }, claimsOf('HS256')),
      message: 'Bad token; invalid crit',
    };
};

/** Good claims with more behind them. */
const claimsAnd = (more: string): string => `${JSON.stringify(claimsOf('HS256')).slice(0, -1)},${more}}`;

/** The same name in two places is none twice. */
export const manyNamesOnce = (): string =>
  badlyWritten({ alg: 'HS256' }, claimsAnd('"a":{"sub":1},"b":[{"sub":1},{"sub":"\\"sub\\":{"}],"c":"sub"'));

const doubled = function* (): Generator<Forgery> {
  const message = 'Bad token; invalid JSON';
  for (const more of [
    ...['"tenant_id":"other"', '"sub":"user"', '"\\u0073ub":"user"', '"exp":9999999999'],
    ...['"a":{"b":1,"b":2}', '"a":[{"c":1},{"d":1,"\\u0064":2}]'],
  ])
    yield { name: `claims and ${more}`, token: badlyWritten({ alg: 'HS256' }, claimsAnd(more)), message };
  for (const header of ['{"alg":"none","alg":"HS256"}', '{"alg":"HS256","kid":"a","k\\u0069d":"b"}'])
    yield { name: `header ${header}`, token: badlyWritten(header, claimsOf('HS256')), message };
};

/** A token as it should be written, of which there are other spellings. */
export const wellSpelled = (): string =>
  badlyWritten({ alg: 'HS256', typ: 'JWT' }, claimsOf('HS256', { text: '???>>>~~~' }));

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same token, written otherwise; the first has the same bytes for whoever does not look closely. */
export const respelled = (token: string): readonly Forgery[] => {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const twin = `${signature.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(signature.at(-1) ?? '') + 1]}`;
  const standard = Buffer.from(signature, 'base64url').toString('base64').replace(/=$/, '/');
  const claimsInStandard = Buffer.from(claims, 'base64url').toString('base64').replace(/=*$/, '');
  const spellings: Readonly<Record<string, string>> = {
    'spare bits': `${header}.${claims}.${twin}`,
    padding: `${token}=`,
    'more padding': `${token}==`,
    'a dot behind': `${token}.`,
    'a dot before': `.${token}`,
    'two signatures': `${token}.${signature}`,
    'no claims': `${header}..${signature}`,
    'a padded header': `${header}=.${claims}.${signature}`,
    'padded claims': `${header}.${claims}=.${signature}`,
    'a blank': `${header}.${claims} .${signature}`,
    'a tab': `${header}\t.${claims}.${signature}`,
    'an empty signature': `${header}.${claims}.`,
    'no signature': `${header}.${claims}`,
    'a soft hyphen': `${token}\u00ad`,
    'a short signature': `${header}.${claims}.${signature.slice(0, -2)}`,
    'a long signature': `${header}.${claims}.A${signature}`,
    'claims in base64': `${header}.${claimsInStandard}+.${signature}`,
    'a signature in base64': `${header}.${claims}.${standard}`,
    'a byte order mark': `${part('\ufeff{"alg":"HS256"}')}.${claims}.${signature}`,
    'no UTF-8': `${header}.${part(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'))}.${signature}`,
    'the JSON form': JSON.stringify({ payload: claims, protected: header, signature }),
    'the encrypted form': `${header}.e30.e30.e30.${signature}`,
  };
  return Object.entries(spellings).map(([name, spelling]) => ({ name, token: spelling }));
};

/** A line of a head has 8,192 bytes at most, its name included. */
const LONGEST = 8192 - 'AuthorizationBearer '.length;
const HEAD_BYTES = 32 * 1024;

const huge = function* (origin: string): Generator<Forgery> {
  const deep = (open: string, close: string, times: number) => `${open.repeat(times)}0${close.repeat(times)}`;
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`c${i}`, i])));
  const payloads = {
    arrays: deep('[', ']', 2500),
    objects: deep('{"a":', '}', 700),
    'many names': wide,
    'a text': `"${'a'.repeat(5000)}"`,
    'a number': '1'.repeat(5000),
  };
  const noSignature = bytes('x');
  for (const [what, payload] of Object.entries(payloads)) {
    yield { name: `${what} for claims`, token: jws({ alg: 'HS256' }, payload, noSignature) };
    yield { name: `${what} for a header`, token: jws(payload, claimsOf('HS256'), noSignature) };
    yield {
      name: `${what} in a header`,
      token: jws({ alg: 'HS256', x: payload }, claimsOf('HS256'), noSignature),
      message: 'Invalid signature',
    };
  }
  const texts = {
    dots: '.'.repeat(7000),
    letters: 'A'.repeat(7000),
    'letters and dots': 'A.'.repeat(3500),
    'letters for claims': `${part({ alg: 'RS256' })}.${'A'.repeat(7000)}`,
  };
  for (const [name, token] of Object.entries(texts))
    yield { name, token, message: 'Bad token; invalid JSON' };
  yield {
    name: 'a long signature',
    token: jws({ alg: 'RS256', kid: 'rsa' }, oidcOf(origin), bytes(Buffer.alloc(5000, 1))),
    message: 'Invalid signature',
  };
  // Longer than a header may be, as Kong's nginx says it.
  yield { name: 'longer than a head', token: 'A'.repeat(40_000), status: 400 };
};

/** The longest token that fits into a line, by what stands in its claims to fill it. */
export const longest = (make: (pad: string) => string): string => {
  // Three bytes are four characters, and what a part begins counts: the last ones are found by trying.
  for (let pad = Math.ceil(((LONGEST - make('').length) * 3) / 4); ; pad -= 1) {
    const token = make('a'.repeat(pad));
    if (token.length <= LONGEST) return token;
  }
};

/** Lines that fill a head with such a token up to what is read of one, each shorter than a line may be. */
export const besideLongest = (): string => {
  const line = `: ${'a'.repeat(Math.floor((HEAD_BYTES - LONGEST - 256) / 4) - 'X-0: \r\n'.length)}\r\n`;
  return [0, 1, 2, 3].map((n) => `X-${n}${line}`).join('');
};

const largest = function* (origin: string): Generator<Forgery> {
  const beside = besideLongest();
  const message = 'Invalid signature';
  const signed = longest((pad) => jws({ alg: 'HS256' }, claimsOf('HS256', { pad }), bytes(Buffer.alloc(32))));
  yield { name: 'a line, HS256', token: signed, message };
  yield { name: 'a head, HS256', token: signed, message, beside };
  const rs256 = { alg: 'RS256', kid: 'rsa' };
  const ofIssuer = longest((pad) => jws(rs256, oidcOf(origin, { pad }), bytes(Buffer.alloc(256, 1))));
  yield { name: 'a line, RS256 of the issuer', token: ofIssuer, message };
  yield { name: 'a head, RS256 of the issuer', token: ofIssuer, message, beside };
  yield {
    name: 'a head, no token at all',
    token: 'A'.repeat(LONGEST),
    message: 'Bad token; invalid JSON',
    beside,
  };
};

/** Tokens that are written as none may be. */
export const SPELLING_FAMILIES: readonly Family[] = [
  {
    family: 'crit',
    title: 'a critical extension is refused, also one that says nothing',
    forge: critical,
  },
  {
    family: 'names twice',
    title: 'names that stand twice in a token are refused: two readers would read two tokens',
    forge: doubled,
  },
  { family: 'spellings', title: 'one token has one spelling', forge: () => respelled(wellSpelled()) },
  { family: 'huge and deep', title: 'huge and deep tokens are refused like small ones', forge: huge },
  {
    family: 'largest legal head',
    title: 'tokens as long as a line may be, in heads as large as they may be, are refused like small ones',
    forge: largest,
  },
];
