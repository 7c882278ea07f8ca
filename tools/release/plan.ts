import type { Commit } from './commits.ts';
import type { Room } from './rooms.ts';

/** Areas whose commits change nothing that is released. */
const SILENT = new Set([
  ...['bench', 'ci', 'cli', 'deploy', 'docs', 'faults', 'release', 'tests', 'testkit', 'tools'],
]);
/** Commits that bring nothing new. */
const REPAIRS = new Set(['deps', 'fix', 'revert']);
/** Areas of the services and of what they are made of. */
const AREAS = new Set([
  ...['auth', 'config-registry', 'edge', 'edge-proxy', 'quota', 'quota-mirror', 'ratelimit', 'registry'],
  ...['config', 'config-log', 'contracts', 'gateway-config', 'kit', 'plugins', 'routing', 'service-kit'],
  ...['console', 'explain', 'nats'],
]);
/** What every image is made with. */
const MADE_WITH = [
  'package-lock.json',
  'tools/bundle.ts',
  'tools/bundle-console.ts',
  'deploy/service.Dockerfile',
];

const LEVELS = ['none', 'patch', 'minor', 'major'] as const;
type Level = (typeof LEVELS)[number];

/** The next version of one room. */
export interface Step {
  readonly room: Room;
  readonly from: string;
  readonly to: string;
  readonly level: Level;
  /** Newest first, as they are told in its changelog. */
  readonly commits: readonly Commit[];
}

/** Undefined where nothing that the room is made of has changed. `commits`: since its last release, newest first. */
export const planStep = (room: Room, from: string, commits: readonly Commit[]): Step | undefined => {
  const told = commits.filter((commit) => levelOf(room, commit) !== 'none');
  const level = LEVELS[Math.max(0, ...told.map((commit) => LEVELS.indexOf(levelOf(room, commit))))] ?? 'none';
  return level === 'none' ? undefined : { room, from, to: raise(from, level), level, commits: told };
};

/** What one commit means for a room: something new where it is in the room itself, a patch where a lib brings it. */
const levelOf = (room: Room, { areas, isBreaking, files }: Commit): Level => {
  if (!isBreaking && areas.every((area) => SILENT.has(area))) return 'none';
  const shipped = files.filter((file) => !file.includes('/test/') && !file.endsWith('/CHANGELOG.md'));
  const isIn = (root: string) => shipped.some((file) => file.startsWith(`${root}/`));
  const isMadeWith = room.root.startsWith('services/') && isForAll(shipped);
  if (!room.roots.some(isIn) && !isMadeWith) return 'none';
  if (isBreaking) return 'major';
  return isIn(room.root) && !areas.every((area) => REPAIRS.has(area)) ? 'minor' : 'patch';
};

/** A commit that is in no room, but changes what images are made with: newer packages, another bundle. */
const isForAll = (files: readonly string[]): boolean =>
  files.some((file) => MADE_WITH.includes(file)) &&
  !files.some((file) => /^(services|libs|console)\//.test(file));

/** Below 1.0.0 what breaks is a minor version, and everything else a patch. */
export const raise = (version: string, level: Level): string => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const steps = LEVELS.indexOf(level) - (major === 0 ? 1 : 0);
  if (steps >= LEVELS.indexOf('major')) return `${major + 1}.0.0`;
  if (steps === LEVELS.indexOf('minor')) return `${major}.${minor + 1}.0`;
  return `${major}.${minor}.${patch + 1}`;
};

/** A commit of an area that nobody knows would be in no version and no changelog, without a word. */
export const nameless = (commits: readonly Commit[]): Commit[] =>
  commits.filter(
    ({ areas }) => !areas.every((area) => SILENT.has(area) || REPAIRS.has(area) || AREAS.has(area)),
  );
