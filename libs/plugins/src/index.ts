export type { Exchange, HeaderList, Identity, UpstreamAnswer } from './exchange.ts';
export { definePlugin, type Plugin, type PluginScope, type Step } from './plugin.ts';
export type { AuthVerdict, BudgetVerdict, Ports } from './ports.ts';
