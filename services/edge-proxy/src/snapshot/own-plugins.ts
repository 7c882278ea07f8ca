import { GatewayError } from '@sluice/contracts';
import { type Exchange, type HeaderList, type Plugin, pluginCatalog, type Step } from '@sluice/plugins';

/** A handler of a user's plugin did not end in time. */
export class PluginTimeout extends Error {
  constructor(plugin: string, timeoutMs: number) {
    super(`access of plugin "${plugin}" did not end in ${timeoutMs} ms (PLUGIN_TIMEOUT_MS)`);
    this.name = 'PluginTimeout';
  }
}

/** An instance of a plugin that is neither built in nor in this edge's folder. */
export class UnknownPlugin extends Error {
  constructor(id: string, name: string) {
    super(`plugin ${id}: this edge has no plugin named "${name}"; put its file into PLUGINS_DIR`);
    this.name = 'UnknownPlugin';
  }
}

const within = async <T>(step: Promise<T>, plugin: string, timeoutMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new PluginTimeout(plugin, timeoutMs)), timeoutMs);
  });
  // A handler that fails after its time is nobody's news: the race has its rejection.
  return Promise.race([step, late]).finally(() => clearTimeout(timer));
};

const isLater = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';

const stepOf = (plugin: string, answer: unknown): Step => {
  if (answer === undefined || answer instanceof GatewayError) return answer;
  throw new TypeError(`"${plugin}" must return nothing, or what answerWith returns`);
};

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Node throws at a header that cannot be sent, where nobody knows any more whose it was. */
const checkHeaders = (headers: HeaderList): void => {
  const broken = [...headers.entries()].find(([name, value]) => !NAME.test(name) || !VALUE.test(value));
  if (broken === undefined) return;
  headers.delete(broken[0]);
  throw new TypeError(`header ${JSON.stringify(broken[0])} has a name or value that cannot be sent`);
};

const checkAll = ({ toUpstream, toClient }: Exchange): void => {
  checkHeaders(toUpstream);
  checkHeaders(toClient);
};

/**
 * A user's plugin as the edge runs it: with a bound on what its access handler may wait for, and with what it
 * returns and sets looked at, since types bind nobody who writes JavaScript. What never gives the thread back
 * cannot be ended from inside: only a restart helps there.
 */
export const guarded = (plugin: Plugin, timeoutMs: number): Plugin => {
  if (pluginCatalog.get(plugin.name) === plugin) return plugin; // ours bound their own waits
  const { name, access, response, inspect, body } = plugin;
  return {
    ...plugin,
    ...(access && {
      access: (exchange, prepared, ports) => {
        const conclude = (answer: unknown): Step => {
          const step = stepOf(name, answer);
          checkAll(exchange);
          return step;
        };
        const answer: unknown = access(exchange, prepared, ports);
        return isLater(answer)
          ? within(Promise.resolve(answer), name, timeoutMs).then(conclude)
          : conclude(answer);
      },
    }),
    ...(response && {
      response: (exchange, prepared, ports) => {
        const answer: unknown = response(exchange, prepared, ports);
        checkAll(exchange);
        return answer as undefined; // a promise by mistake: the chain looks after its failure
      },
    }),
    ...(inspect && {
      inspect: (exchange, prepared, ports) => stepOf(name, inspect(exchange, prepared, ports)),
    }),
    ...(body && {
      body: (exchange, prepared, given, ports) => {
        const answer: unknown = body(exchange, prepared, given, ports);
        if (answer === undefined || Buffer.isBuffer(answer)) return answer;
        throw new TypeError(`body of "${name}" must return a Buffer or nothing`);
      },
    }),
  };
};
