import type { Entity, List, PluginEntity } from '../api/answers.ts';
import type { AskError } from '../api/ask.ts';
import { useAnswer } from '../api/use-answer.ts';

/** One instance of a plugin, and whom it is for. */
export interface Policy {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly where: string;
  readonly config: Readonly<Record<string, unknown>>;
}

interface Policies {
  readonly policies: readonly Policy[] | undefined;
  readonly error: AskError | undefined;
  readonly again: () => void;
}

/** The instances of a plugin, of the first thousand of all plugins. */
export const usePolicies = (plugin: string): Policies => {
  const plugins = useAnswer<List<PluginEntity>>('/plugins?size=1000');
  const routes = useAnswer<List<Entity>>('/routes?size=1000');
  const services = useAnswer<List<Entity>>('/services?size=1000');
  const names = new Map(
    [...(routes.value?.data ?? []), ...(services.value?.data ?? [])].map(({ id, name }) => [id, name ?? id]),
  );
  const nameOf = (scope: { readonly id: string }) => names.get(scope.id) ?? scope.id;
  const whereOf = ({ route, service, consumer }: PluginEntity): string => {
    const parts = [
      route === null ? '' : `route ${nameOf(route)}`,
      service === null ? '' : `service ${nameOf(service)}`,
      consumer === null ? '' : `consumer ${consumer.id}`,
    ].filter(Boolean);
    return parts.length === 0 ? 'every request' : parts.join(', ');
  };
  const policies = plugins.value?.data
    .filter(({ name }) => name === plugin)
    .map((one) => ({ id: one.id, isEnabled: one.enabled, where: whereOf(one), config: one.config }))
    .sort((a, b) => a.where.localeCompare(b.where));
  return { policies, error: plugins.error, again: plugins.again };
};
