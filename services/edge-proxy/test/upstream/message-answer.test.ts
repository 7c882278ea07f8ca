import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { MessageAnswer } from '../../src/upstream/engines/message-answer.ts';
import { RawUpstream } from '../raw-upstream.ts';

const answerOf = async (bytes: string) => {
  const upstream = await RawUpstream.start((socket) => socket.write(bytes));
  const [message] = (await once(get(upstream.url), 'response')) as [IncomingMessage];
  return { upstream, message, answer: new MessageAnswer(message) };
};

test.each([
  ['a body', 'Content-Length: 5\r\n\r\nsmall'],
  ['a body in pieces', 'Transfer-Encoding: chunked\r\n\r\n2\r\nsm\r\n3\r\nall\r\n0\r\n\r\n'],
])(
  'given %s that came with its head, then it is taken whole, and its connection is free',
  async (_what, rest) => {
    const { upstream, message, answer } = await answerOf(`HTTP/1.1 200 OK\r\n${rest}`);
    await using _ = upstream;
    await eventually(() => message.complete);
    let isClosed = false;
    answer.whenClosed(() => {
      isClosed = true;
    });
    expect(answer.takeWhole()?.toString()).toBe('small');
    await eventually(() => isClosed);
  },
);

test.each([
  ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsma'],
  ['no body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n'],
])('given %s, then there is nothing to take whole', async (_what, bytes) => {
  const { upstream, answer } = await answerOf(bytes);
  await using _ = upstream;
  expect(answer.takeWhole()).toBeUndefined();
});
