import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ofKind } from './rendered.ts';
import { installations } from './sources.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** By its image: `nonroot` of distroless. */
const NONROOT = 65_532;

const lastStageOf = (file: string): string => {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll('\\\n', ' ');
  return text.slice(text.lastIndexOf('\nFROM '));
};

describe.each(['Dockerfile', 'deploy/service.Dockerfile'])('%s', (file) => {
  const stage = lastStageOf(file);

  test.each(['title', 'description', 'version', 'revision', 'licenses'])('says its %s', (label) => {
    expect(stage).toMatch(new RegExp(`org\\.opencontainers\\.image\\.${label}="[^"]+"`));
  });

  test('holds its bill of materials and its licence', () => {
    expect(stage).toMatch(/^COPY --from=bundle \S*dist\/sbom\.cdx\.json \S*LICENSE \/licences\/$/m);
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain('npm run sbom');
  });

  test('runs as nobody who may do much, says how it is, and is ended by SIGTERM', () => {
    expect(stage).toMatch(/^USER (nonroot|node)$/m);
    expect(stage).toMatch(/^HEALTHCHECK .*CMD \["/m);
    expect(stage).toMatch(/^STOPSIGNAL SIGTERM$/m);
    expect(stage).toMatch(/^VOLUME \/data$/m);
  });
});

test('pods run as the user of the image, where it may write', () => {
  expect(lastStageOf('deploy/service.Dockerfile')).toMatch(/^FROM \S*distroless\S*:nonroot$/m);
  const deployments = installations(['dev', 'prod'], ['default']).flatMap(([, one]) =>
    ofKind(one, 'Deployment'),
  );
  for (const { spec } of deployments) {
    const { securityContext, containers } = spec.template.spec;
    expect(securityContext).toMatchObject({ runAsUser: NONROOT, fsGroup: NONROOT });
    expect(containers[0].volumeMounts).toContainEqual({ name: 'data', mountPath: '/data' });
  }
});
