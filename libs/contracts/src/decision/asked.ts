import { z } from 'zod';

/** Longest value of a header that is kept, in characters. */
export const MAX_KEPT_VALUE_CHARS = 256;

/**
 * What routes and policies go by beside method, host and path, so that another configuration can be tried on the
 * request. Of credentials at most that there was one; of a query the names of its arguments.
 */
export const asked = z.object({
  scheme: z.enum(['http', 'https']),
  /** Of `Host`, else the one the client connected to. */
  port: z.int().nonnegative(),
  /** `1.1`, `1.0` or `2.0`. */
  httpVersion: z.string(),
  /** The client's address, after real-ip processing. */
  client: z.string(),
  /** The peer is believed when it says who the client is and how it came. */
  isPeerTrusted: z.boolean(),
  /** Of the TLS handshake. */
  serverName: z.string().optional(),
  /** In lower case, one for each line; absent: too many, or too long. */
  headerNames: z.array(z.string()).optional(),
  /** Values of the headers that routes match by, and of a few that speak of the client's program. */
  headers: z.record(z.string(), z.string()),
  /** Absent: one has no plain name. */
  queryNames: z.array(z.string()).optional(),
  /** As announced, in bytes. */
  contentLength: z.int().nonnegative().optional(),
  /** A credential of it was verified, or somebody stood in for one. */
  isIdentified: z.boolean(),
  /** The tenant is the credential's word, not the client's. */
  isTenantVerified: z.boolean(),
});
export type AskedFacts = z.output<typeof asked>;

/** For the examples of the contracts that carry records. */
export const exampleAsked: z.input<typeof asked> = {
  scheme: 'https',
  port: 443,
  httpVersion: '1.1',
  client: '198.51.100.7',
  isPeerTrusted: false,
  serverName: 'api.example.com',
  headerNames: ['host', 'user-agent', 'authorization', 'x-version'],
  headers: { 'user-agent': 'curl/8.5.0', 'x-version': '2' },
  queryNames: ['page'],
  isIdentified: true,
  isTenantVerified: true,
};
