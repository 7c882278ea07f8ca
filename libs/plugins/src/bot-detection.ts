import { GatewayError } from '@sluice/contracts';
import type { z } from 'zod';
import { BOT_PATTERN } from './bot-agents.ts';
import { listOf, pattern, record } from './fields.ts';
import { compileSearchRegex } from './linear-regex.ts';
import { definePlugin } from './plugin.ts';

const Config = record({
  allow: listOf(pattern()).default([]).describe('User-Agents that may call, even when they are known bots.'),
  deny: listOf(pattern()).default([]).describe('User-Agents that may not call.'),
});

const anyOf = (patterns: readonly string[]): ((agent: string) => boolean) => {
  const regexes = patterns.map(compileSearchRegex);
  return (agent) => regexes.some((regex) => regex.test(agent));
};

const isKnownBot = anyOf([BOT_PATTERN]);

/** Kong's `bot-detection`: refuses programs by their User-Agent. */
export const botDetection = definePlugin({
  name: 'bot-detection',
  priority: 2500,
  reads: { always: ['user-agent'] },
  summary: 'Refuses clients whose User-Agent is that of a bot.',
  config: Config,
  consumerScope: false,
  prepare: ({ allow, deny }: z.output<typeof Config>) => ({ isAllowed: anyOf(allow), isDenied: anyOf(deny) }),
  access: ({ fromClient }, { isAllowed, isDenied }) => {
    const [agent, ...others] = fromClient.getAll('user-agent');
    if (others.length > 0)
      return new GatewayError('GW_FORBIDDEN', { status: 400, message: 'Only one User-Agent header allowed' });
    if (agent === undefined || isAllowed(agent)) return undefined;
    return isDenied(agent) || isKnownBot(agent) ? new GatewayError('GW_FORBIDDEN') : undefined;
  },
});
