import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OidcIssuer } from '@sluice/testkit';

export const TENANTS = 50;

const tenantOf = (index: number): string => `bench-${index % TENANTS}`;

const headersOf = (token: string, index: number): Readonly<Record<string, string>> => ({
  Authorization: `Bearer ${token}`,
  'X-Tenant-Id': tenantOf(index),
  'X-Platform-Id': 'platform-1',
  'X-User-Id': 'user-456',
});

/** What wrk runs: a request for each line of the file, one after the other. */
const script = (linesFile: string): string => `
local made, next = {}, 0
function init()
  for line in io.lines("${linesFile}") do
    local headers = { Host = wrk.headers["Host"] }
    for name, value in line:gmatch("([^\\t]+): ([^\\t]+)") do headers[name] = value end
    made[#made + 1] = wrk.format("GET", nil, headers)
  end
end
function request()
  next = next % #made + 1
  return made[next]
end
`;

/** Requests that carry tokens, as wrk reads them, as headers, and the headers of a single one. */
export interface Requests {
  readonly script: string;
  readonly all: readonly Readonly<Record<string, string>>[];
  readonly example: Readonly<Record<string, string>>;
}

/** A Lua file for wrk whose requests carry so many tokens of the issuer. */
export const writeRequests = async (issuer: OidcIssuer, count: number, folder: string): Promise<Requests> => {
  const tokens = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      issuer.token({ tenant_id: tenantOf(index), platform_id: 'platform-1' }),
    ),
  );
  const all = tokens.map(headersOf);
  const file = join(folder, `${count}-tokens.lua`);
  const linesFile = join(folder, `${count}-tokens.txt`);
  const lineOf = (headers: Readonly<Record<string, string>>): string =>
    Object.entries(headers)
      .map((pair) => pair.join(': '))
      .join('\t');
  writeFileSync(linesFile, `${all.map(lineOf).join('\n')}\n`, { mode: 0o600 });
  writeFileSync(file, script(linesFile), { mode: 0o600 });
  return { script: file, all, example: all[0] ?? {} };
};
