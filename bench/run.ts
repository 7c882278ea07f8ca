/** `npm run bench -- <name>`: what costs what, on this machine. */
const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  config: () => import('./config.ts'),
  forward: () => import('./forward.ts'),
  propagation: () => import('./propagation.ts'),
  router: () => import('./router.ts'),
};

const [name = ''] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHES).join(' | ')}\n`);
  process.exitCode = 2;
} else await bench();
