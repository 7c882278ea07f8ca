export type {
  Consumer,
  EntityByKind,
  EntityOf,
  Issuer,
  JwtSecret,
  PluginEntity,
  Reference,
  Route,
  Service,
  Stored,
} from './model.ts';
export { ConfigState, canonicalJson, diffStates, type Entities } from './state.ts';
