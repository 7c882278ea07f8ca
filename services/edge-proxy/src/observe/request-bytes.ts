import type { ProxyExchange } from '../exchange.ts';
import { bytesOfStream, isStream } from '../http2-stream.ts';

const SEPARATORS = 4; // ": " and CRLF of a header line
/** What stands around method, target and version, and the empty line that ends the head. */
const LINE_FRAME = '  HTTP/\r\n\r\n'.length;

/**
 * Size of a request in bytes, line, headers and body together, as nginx's `$request_length`. The socket's own count
 * begins behind the packet that the head came in, which is the whole of a short request; it serves only for a body
 * without a length.
 */
export const requestBytes = (exchange: ProxyExchange): number => {
  const { request, method, rawTarget, httpVersion } = exchange;
  let bytes = method.length + rawTarget.length + httpVersion.length + LINE_FRAME;
  const { rawHeaders } = request;
  for (const text of rawHeaders) bytes += text.length;
  bytes += (rawHeaders.length / 2) * SEPARATORS;
  return bytes + bodyBytes(exchange);
};

/** Size of a request's body in bytes; of an upgraded connection, what came on it. */
export const bodyBytes = ({
  request,
  bytesAtStart,
}: Pick<ProxyExchange, 'request' | 'bytesAtStart'>): number => {
  const { headers } = request;
  const length = headers['content-length'];
  if (length !== undefined) return Math.max(0, Number(length) || 0);
  // A connection of HTTP/2 is shared: its count is that of everybody's streams.
  if (isStream(request)) return headers['transfer-encoding'] === undefined ? 0 : bytesOfStream(request);
  if (headers['transfer-encoding'] === undefined && headers.upgrade === undefined) return 0;
  return Math.max(0, request.socket.bytesRead - bytesAtStart.read);
};
