import { toHeaderValue } from './byte-string.ts';
import type { HeaderList } from './exchange.ts';
import type { Fields } from './transform-rules.ts';

const isHost = (name: string): boolean => name.toLowerCase() === 'host';

/**
 * A header list as fields. `Host` is special, as in Kong: it is always there, so it may be replaced, and it is
 * never added, removed or renamed. Without `host` (on responses) it is a header like any other.
 */
export const headerFields = (headers: HeaderList, host?: string): Fields => {
  const isFixed = (name: string): boolean => host !== undefined && isHost(name);
  return {
    has: (name) => isFixed(name) || headers.has(name),
    remove: (name) => {
      if (!isFixed(name)) headers.delete(name);
    },
    rename: (from, to) => {
      if (isFixed(to)) return;
      const values = isFixed(from) ? [host ?? ''] : [...headers.getAll(from)];
      if (!isFixed(from)) headers.delete(from);
      headers.delete(to);
      for (const value of values) headers.append(to, value);
    },
    set: (name, value) => headers.set(name, toHeaderValue(value)),
    append: (name, value) => {
      if (!isFixed(name)) headers.append(name, toHeaderValue(value));
    },
  };
};
