import type { Protection } from './protection.ts';

const LOG = 'libs/config-log';
const EDGE = 'services/edge-proxy';
const CONFIGURATION = `${EDGE}/test/configuration.test.ts`;

export const configProtections: readonly Protection[] = [
  {
    row: 'C1',
    without: 'preparing all of a commit before any of it counts',
    file: `${EDGE}/src/snapshot/accept.ts`,
    part: 'const change = holder.current.prepare(commit.ops);',
    instead:
      'const [first, ...rest] = commit.ops;\n    if (first !== undefined) holder.current.prepare([first])();\n    const change = holder.current.prepare(rest);',
    test: CONFIGURATION,
    title: 'given a commit that an edge cannot compile',
  },
  {
    row: 'C1',
    without: 'the lock of the log between two writers',
    file: `${LOG}/src/append.ts`,
    part: '        expectLastSubjectSequence: base.seq,\n',
    instead: '',
    test: 'services/config-registry/test/apply-config.test.ts',
    title: 'given two registries, when both are written at once',
  },
  {
    row: 'C1',
    without: 'the look for a commit whose answer was lost',
    file: `${LOG}/src/append.ts`,
    part: "if (found === 'own') return base.seq + 1;",
    instead: "if (found === 'own') return undefined;",
    test: `${LOG}/test/append.test.ts`,
    title: 'given the answer to a publish is lost with the connection',
  },
  {
    row: 'C2',
    without: 'compiling beside the configuration in use',
    file: `${EDGE}/src/snapshot/accept.ts`,
    part: 'if (hasVault || !this.#isInStep || holder.current === undefined) return this.takeState(state);',
    instead:
      'holder.current = undefined;\n    return new Promise((done) => setImmediate(done)).then(() => this.takeState(state));',
    test: CONFIGURATION,
    title: 'given two edges under load, when routes come and go',
  },
  {
    row: 'C2',
    without: 'the same, beside clients that pipeline',
    file: `${EDGE}/src/snapshot/accept.ts`,
    part: 'if (hasVault || !this.#isInStep || holder.current === undefined) return this.takeState(state);',
    instead:
      'holder.current = undefined;\n    return new Promise((done) => setImmediate(done)).then(() => this.takeState(state));',
    test: 'tests/faults.test.ts',
    title: 'given 60 reloads beside clients that keep their connections',
  },
  {
    row: 'C3',
    without: 'telling clients of a process that ends to go elsewhere',
    file: `${EDGE}/src/listener.ts`,
    part: "if (this.#isDraining) response.setHeader('Connection', 'close');",
    instead: '',
    test: 'tests/faults/edge-rolling.test.ts',
    title: 'given two edges with load, streams and WebSockets',
  },
  {
    row: 'C4',
    without: 'the start from the last known good file',
    file: `${EDGE}/src/snapshot/follow-log.ts`,
    part: 'initial: await file.load(),',
    instead: 'initial: undefined,',
    test: CONFIGURATION,
    title: 'given a last known good file, when the edge starts with the bus away',
  },
  {
    row: 'C5',
    without: 'keeping the good file when the newest is damaged',
    file: `${LOG}/src/last-known-good.ts`,
    part: 'if (this.#keepsPrevious) await this.#keepPrevious();',
    instead: 'await this.#keepPrevious();',
    test: `${LOG}/test/last-known-good.test.ts`,
    title: 'given a file that is ',
  },
  {
    row: 'C6',
    without: 'reading the log again after a lost connection',
    file: `${LOG}/src/follow.ts`,
    part: 'bus.onReconnect(() => this.#rounds.restart());',
    instead: '',
    test: `${LOG}/test/partition.test.ts`,
    title: 'given one of three followers behind a refuse',
  },
  {
    row: 'C6',
    without: 'what the heartbeat says about the end of the log',
    file: `${LOG}/src/follow.ts`,
    part: 'bus.on(configHeartbeat, (beat) => this.#heard(beat));',
    instead: '',
    test: `${LOG}/test/faults.test.ts`,
    title: 'given a commit nobody heard live',
  },
  {
    row: 'C7',
    without: 'the contract of what comes over the bus',
    file: 'libs/service-kit/src/bus.ts',
    part: 'const parsed = contract.payload.safeParse(error ?? jsonOf(message));\n          if (parsed.success) handler(',
    instead:
      'const parsed = { success: true, data: jsonOf(message) as never, error: undefined as never };\n          if (parsed.success) handler(',
    test: `${LOG}/test/partition.test.ts`,
    title: 'given garbage straight on the live subjects',
  },
  {
    row: 'C7',
    without: 'the digest of each commit',
    file: `${LOG}/src/position.ts`,
    part: "return state.digestAfter(commit.ops) === commit.digest ? 'next' : 'bad-digest';",
    instead: "return 'next';",
    test: `${LOG}/test/faults.test.ts`,
    title: 'given garbage, an old commit again and a forged one in the log',
  },
  {
    row: 'D9',
    without: 'going on without the file',
    file: `${LOG}/src/last-known-good.ts`,
    part: '.catch((error: unknown) => {\n        this.#problem =',
    instead: '.catch((error: unknown) => {\n        throw error;\n        this.#problem =',
    test: `${LOG}/test/last-known-good.test.ts`,
    title: 'given a full disk, then the save is skipped and told',
  },
];
