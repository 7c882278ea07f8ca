import type { ServerResponse } from 'node:http';

/**
 * Shows every piece of a body to `see` as it is written to the client, whoever writes it: the relay, a plugin's own
 * answer, a refusal. Only the answers that are compared get these two methods; all others keep Node's.
 */
export const watchBody = (response: ServerResponse, see: (chunk: Buffer) => void): void => {
  const { write, end } = response;
  const show = (chunk: unknown, encoding: unknown): void => {
    if (Buffer.isBuffer(chunk)) see(chunk);
    else if (typeof chunk === 'string')
      see(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
  };
  response.write = (...args: unknown[]) => {
    show(args[0], args[1]);
    return (write as (...args: unknown[]) => boolean).apply(response, args);
  };
  response.end = (...args: unknown[]) => {
    show(args[0], args[1]);
    return (end as (...args: unknown[]) => ServerResponse).apply(response, args);
  };
};
