import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endpoint } from '../admin-api/endpoint.ts';
import { readBody } from '../admin-api/read-body.ts';
import { toldElsewhere } from '../audit/told.ts';
import { type AdminToken, includesRole, tokenNamed } from './admin-tokens.ts';
import { LoginLimit } from './login-limit.ts';
import { neededRole } from './needed-role.ts';
import { keepRole } from './sees-secrets.ts';
import { type Session, Sessions } from './sessions.ts';
import { keepCheck } from './still-allowed.ts';

const COOKIE = 'sluice_session';
const LOGIN = '/sluice/login';
const SESSION = '/sluice/session';
/** Bytes of a body with a token in it; it is read from people nobody knows yet. */
const MAX_LOGIN_BYTES = 4096;
const SAFE = ['GET', 'HEAD', 'OPTIONS'];
/** The console's own files: they hold nothing of the gateway's, and the login is one of their pages. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/console', '/console/assets/:file']);

type Refusal = { readonly status: 401 | 403; readonly code: string; readonly message: string };
type Known = { readonly who: AdminToken; readonly session?: Session };

/**
 * Asks every request of the Admin API who it is, where there are tokens: a token in `Authorization: Bearer` or
 * `Kong-Admin-Token`, or the cookie of a login. Without tokens it is open, as Kong's; then it listens on loopback only.
 */
export const guardAdmin = (app: FastifyInstance, tokens: readonly AdminToken[], sessions: Sessions): void => {
  loginRoutes(app, tokens, sessions);
  if (tokens.length === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    // As the router reads it, and not anew: it takes `/config#x` and `http://any/config` for `/config`.
    const path = request.routeOptions.url ?? request.url.split('?')[0] ?? '/';
    delete request.headers['x-sluice-author']; // also for the audit of who was not let in
    if (path === LOGIN && request.method === 'POST') return undefined;
    if (SAFE.includes(request.method) && OPEN_PATHS.has(path)) return undefined;
    const known = identify(request, tokens, sessions);
    if ('status' in known) {
      // The console asks who it is whenever somebody opens it: that is nobody who was not let in.
      if (path === SESSION && !bearsAnything(request)) toldElsewhere(reply);
      return refuse(reply, known);
    }
    const needed = neededRole(request.method, path);
    // Ending one's own session is nobody else's matter.
    if (path !== SESSION && !includesRole(known.who.role, needed))
      return refuse(reply, {
        status: 403,
        code: 'admin_forbidden',
        message: `This takes the role ${needed}; ${known.who.name} is ${known.who.role}.`,
      });
    // The history names who it was, not who they say they are.
    request.headers['x-sluice-author'] = known.who.name;
    keepRole(request, known.who.role);
    keepCheck(request, () => !('status' in identify(request, tokens, sessions)));
    return undefined;
  });
};

const identify = (
  request: FastifyRequest,
  tokens: readonly AdminToken[],
  sessions: Sessions,
): Known | Refusal => {
  const presented = tokenIn(request);
  if (presented !== undefined) {
    const who = tokenNamed(tokens, presented);
    return who === undefined ? UNKNOWN : { who };
  }
  const session = sessions.find(cookieIn(request) ?? '');
  if (session === undefined) return UNKNOWN;
  if (!SAFE.includes(request.method) && !isOwnPage(request, session)) return FOREIGN;
  return { who: session.who, session };
};

const UNKNOWN: Refusal = {
  status: 401,
  code: 'admin_unauthenticated',
  message: 'Send an admin token as Authorization: Bearer or Kong-Admin-Token, or log in.',
};
const FOREIGN: Refusal = {
  status: 403,
  code: 'admin_csrf',
  message:
    'A change by cookie takes the header X-Sluice-Csrf of GET /sluice/session, from the console itself.',
};

const tokenIn = ({ headers }: FastifyRequest): string | undefined => {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const kongs = headers['kong-admin-token'];
  // Whoever sends a credential means it: a bad one is not made good by a cookie.
  return bearer ?? headers.authorization ?? (Array.isArray(kongs) ? kongs.join(',') : kongs);
};

const bearsAnything = (request: FastifyRequest): boolean =>
  tokenIn(request) !== undefined || cookieIn(request) !== undefined;

const cookieIn = ({ headers }: FastifyRequest): string | undefined =>
  headers.cookie
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);

/** True unless a browser says that another site's page sent this. */
const isSameOrigin = ({ headers }: FastifyRequest): boolean => {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || URL.parse(origin)?.host === host;
};

const isOwnPage = (request: FastifyRequest, session: Session): boolean =>
  isSameOrigin(request) && request.headers['x-sluice-csrf'] === session.csrf;

const loginRoutes = (app: FastifyInstance, tokens: readonly AdminToken[], sessions: Sessions): void => {
  const limit = new LoginLimit();
  const login = async (request: FastifyRequest, reply: FastifyReply) => {
    if (tokens.length === 0) return { name: null, role: 'admin', csrf: null };
    if (!isSameOrigin(request)) return refuse(reply, FOREIGN);
    const waitSeconds = limit.waitSeconds(request.ip);
    if (waitSeconds !== undefined) return tooMany(reply, waitSeconds);
    const who = tokenNamed(tokens, await tokenInBody(request));
    if (who === undefined) {
      limit.failed(request.ip);
      return refuse(reply, UNKNOWN);
    }
    const session = sessions.open(who);
    request.headers['x-sluice-author'] = who.name; // for the audit
    return shown(reply.header('set-cookie', cookieOf(request, session.id, Sessions.lifeSeconds)), session);
  };
  endpoint(app, LOGIN, { POST: login }, { bodyLimit: MAX_LOGIN_BYTES });
  endpoint(app, SESSION, {
    GET: (request, reply) => {
      if (tokens.length === 0) return { name: null, role: 'admin', csrf: null };
      const known = identify(request, tokens, sessions);
      if ('status' in known) return refuse(reply, known);
      return known.session === undefined
        ? { name: known.who.name, role: known.who.role, csrf: null }
        : shown(reply, known.session);
    },
    DELETE: (request, reply) => {
      sessions.close(cookieIn(request) ?? '');
      return reply
        .header('set-cookie', cookieOf(request, '', 0))
        .code(204)
        .send();
    },
  });
};

const tokenInBody = async (request: FastifyRequest): Promise<string> => {
  const body = await readBody(request);
  const token = body.kind === 'json' ? (body.value as { token?: unknown } | null)?.token : undefined;
  return typeof token === 'string' ? token : '';
};

const cookieOf = (request: FastifyRequest, id: string, maxAgeSeconds: number): string =>
  `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${'encrypted' in request.raw.socket ? '; Secure' : ''}`;

const shown = (reply: FastifyReply, { who, csrf }: Session) =>
  reply.header('cache-control', 'no-store').send({ name: who.name, role: who.role, csrf });

const tooMany = (reply: FastifyReply, waitSeconds: number) =>
  reply
    .code(429)
    .header('retry-after', `${waitSeconds}`)
    .send({ error: { code: 'login_limited', message: `Try again in ${waitSeconds} s.`, details: {} } });

const refuse = (reply: FastifyReply, { status, code, message }: Refusal) => {
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="Sluice admin"');
  return reply.code(status).send({ error: { code, message, details: {} } });
};
