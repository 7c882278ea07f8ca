import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode, type ErrorRow, GatewayError } from '../src/index.ts';

const rows = Object.entries(ERRORS) as [ErrorCode, ErrorRow][];

describe('the table', () => {
  test.each(rows)('%s has a status and a message, and its status says whose fault it is', (code, row) => {
    expect(code).toMatch(/^GW(_[A-Z]+)+$/);
    expect(row.message).toMatch(/^\S.*[^.\s]$/);
    if (row.source === 'client')
      expect([400, 401, 403, 404, 405, 408, 413, 415, 426, 429]).toContain(row.status);
    else if (row.source === 'upstream') expect([502, 503, 504]).toContain(row.status);
    else expect([200, 429, 500, 503]).toContain(row.status);
  });

  test('no two codes mean the same', () => {
    const meanings = rows.map(([, row]) => JSON.stringify(row));

    expect(new Set(meanings).size).toBe(rows.length);
  });

  test('what can be tried again is unavailable, late, limited or failing, never refused for good', () => {
    for (const [code, { status, retryable }] of rows)
      if (retryable) expect([408, 429, 500, 502, 503, 504], code).toContain(status);
  });
});

describe('GatewayError', () => {
  test.each(rows)('given only %s, then status, form and message are those of the table', (code, row) => {
    const error = new GatewayError(code);

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'GatewayError', code, status: row.status, style: row.style });
    expect(error.message).toBe(row.message);
    expect(error.body).toBeUndefined();
    expect(error.headers).toEqual({});
    expect('cause' in error).toBe(false);
  });

  test('given a status, a message, headers and a cause, then they replace what the table says', () => {
    const cause = new Error('why');
    const headers = { 'Retry-After': '7' };

    const error = new GatewayError('GW_RATE_LIMITED', { status: 420, message: 'calm down', headers, cause });

    expect(error).toMatchObject({ status: 420, message: 'calm down', headers, cause, style: 'error' });
  });

  test('given a form, then it replaces that of the table, unless there is a body', () => {
    expect(new GatewayError('GW_UNAUTHENTICATED', { style: 'error' }).style).toBe('error');
    expect(new GatewayError('GW_FORBIDDEN', { style: 'page', body: {} }).style).toBe('exit');
  });

  test.each([[null], [''], ['text'], [{ exp: 'token expired' }], [[]]])(
    'given the body %j, then it is sent as it is, whatever the form of the code',
    (body) => {
      expect(new GatewayError('GW_UPSTREAM_TIMEOUT', { body })).toMatchObject({ body, style: 'exit' });
    },
  );
});
