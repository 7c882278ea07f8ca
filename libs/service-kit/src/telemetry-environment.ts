import { SettingsError } from './settings.ts';

const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'];
/** What each variable may say; the SDK takes anything and quietly does something else. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  OTEL_EXPORTER_OTLP_PROTOCOL: PROTOCOLS,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: PROTOCOLS,
  OTEL_TRACES_EXPORTER: ['otlp', 'zipkin', 'console', 'none'],
  OTEL_TRACES_SAMPLER: [
    ...['always_on', 'always_off', 'traceidratio'],
    ...['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
  ],
};

const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';

/** Set when an OTLP endpoint or an exporter was asked for; the SDK must never try a collector nobody named. */
export const tracesAreWanted = (env: NodeJS.ProcessEnv): boolean => {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return false;
  if (isSet(env.OTEL_TRACES_EXPORTER)) return env.OTEL_TRACES_EXPORTER?.trim() !== 'none';
  return isSet(env.OTEL_EXPORTER_OTLP_ENDPOINT) || isSet(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
};

/**
 * Looks at the words among the `OTEL_*` variables.
 * @throws SettingsError naming every one that is not understood.
 */
export const checkTelemetryEnvironment = (env: NodeJS.ProcessEnv): void => {
  const lines = Object.entries(CHOICES)
    .filter(([name, known]) => wordsIn(env[name]).some((word) => !known.includes(word)))
    .map(([name, known]) => `  ${name}: not supported; set one of ${known.join(', ')}`);
  if (lines.length > 0) throw new SettingsError(`These settings are not usable:\n${lines.join('\n')}`);
};

/** Of exporters there may be several. */
const wordsIn = (value: string | undefined): readonly string[] =>
  (value ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
