import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';

/** A service, a route to it with a limit, and what every request gets. */
const FILES: Readonly<Record<string, string>> = {
  'services/example.yml': `# A service is an API behind the gateway.
- name: example
  url: http://127.0.0.1:9000
  connect_timeout: 2000
  read_timeout: 30000
  retries: 2
`,
  'routes/example.yml': `# A route says which requests go to a service.
routes:
  - name: example
    service: example
    paths: [/example]
    methods: [GET, POST]
    strip_path: true
`,
  'plugins/limits.yml': `# A plugin stands on everything, a service, a route or a consumer.
- name: rate-limiting
  route: example
  config:
    minute: 60
    policy: local
`,
  'plugins/everything.yml': `- name: correlation-id
  config:
    header_name: X-Request-Id
    generator: uuid
    echo_downstream: true
`,
};

/** Writes a folder to begin with; never over what is there. */
export const init = async (
  given: string | undefined,
  options: { json?: boolean },
  io: Surroundings,
): Promise<number> => {
  const dir = resolve(io.cwd, given ?? 'config');
  const label = relative(io.cwd, dir) || '.';
  if (contentsOf(dir).length > 0)
    return refuse(
      io,
      EXIT.invalid,
      `${label} has files already: name a folder that is new or empty`,
      options,
    );
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  if (options.json) printJson(io.out, { created: Object.keys(FILES).map((path) => join(dir, path)) });
  else {
    for (const path of Object.keys(FILES))
      printLine(io.out, `${paint(io.out, 'green', '✔')} ${join(label, path)}`);
    printLine(io.out, `next: sluice check ${label}, then sluice apply ${label} -m "a first route"`);
  }
  return EXIT.ok;
};

const contentsOf = (dir: string): readonly string[] => {
  try {
    return readdirSync(dir);
  } catch {
    return []; // not there
  }
};
