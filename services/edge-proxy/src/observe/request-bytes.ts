import type { ProxyExchange } from '../exchange.ts';

const SEPARATORS = 4; // ": " and CRLF of a header line
/** What stands around method, target and version, and the empty line that ends the head. */
const LINE_FRAME = '  HTTP/\r\n\r\n'.length;

/**
 * Size of a request in bytes, line, headers and body together, as nginx's `$request_length`. The socket's own count
 * begins behind the packet that the head came in, which is the whole of a short request; it serves only for a body
 * without a length.
 */
export const requestBytes = ({
  request,
  method,
  rawTarget,
  httpVersion,
  bytesAtStart,
}: ProxyExchange): number => {
  let bytes = method.length + rawTarget.length + httpVersion.length + LINE_FRAME;
  const { rawHeaders } = request;
  for (const text of rawHeaders) bytes += text.length;
  bytes += (rawHeaders.length / 2) * SEPARATORS;
  const length = request.headers['content-length'];
  const body = length === undefined ? request.socket.bytesRead - bytesAtStart.read : Number(length);
  return bytes + Math.max(0, body || 0);
};
