import { Settings as Auth } from '../../services/auth/src/settings.ts';
import { Settings as Registry } from '../../services/config-registry/src/settings.ts';
import { Settings as Edge } from '../../services/edge-proxy/src/settings.ts';
import { Settings as Mirror } from '../../services/quota-mirror/src/settings.ts';
import { Settings as Limits } from '../../services/ratelimit/src/settings.ts';

/** What each service can be told by its environment. */
export const SETTINGS = {
  'edge-proxy': Edge,
  auth: Auth,
  ratelimit: Limits,
  'quota-mirror': Mirror,
  'config-registry': Registry,
} as const;
export type ServiceName = keyof typeof SETTINGS;
