import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '..', '..', 'deploy', 'kubernetes');

const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
const labels = z.record(z.string(), z.string());
const port = z.int().min(1).max(65_535);
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.enum(['/livez', '/readyz', '/healthz']), port: z.string() }).optional(),
  exec: z.strictObject({ command: z.array(z.string()) }).optional(),
  periodSeconds: z.int().optional(),
  failureThreshold: z.int().optional(),
});
const source = z.strictObject({
  secretKeyRef: z.strictObject({ name, key: z.string(), optional: z.boolean().optional() }).optional(),
  configMapKeyRef: z.strictObject({ name, key: z.string() }).optional(),
  fieldRef: z.strictObject({ fieldPath: z.enum(['metadata.name']) }).optional(),
});
const container = z.strictObject({
  name,
  image: z.string(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  args: z.array(z.string()).optional(),
  env: z
    .array(z.strictObject({ name: z.string(), value: z.string().optional(), valueFrom: source.optional() }))
    .optional(),
  ports: z.array(z.strictObject({ name: z.string().max(15), containerPort: port })),
  resources: z
    .strictObject({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) })
    .optional(),
  securityContext: z
    .strictObject({
      allowPrivilegeEscalation: z.literal(false),
      readOnlyRootFilesystem: z.literal(true),
      capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
    })
    .optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe,
  livenessProbe: probe.optional(),
  volumeMounts: z.array(z.strictObject({ name, mountPath: z.string(), readOnly: z.boolean().optional() })),
});
const podSpec = z.strictObject({
  automountServiceAccountToken: z.literal(false),
  terminationGracePeriodSeconds: z.int().optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().min(1),
    runAsGroup: z.int().min(1).optional(),
    fsGroup: z.int().min(1).optional(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }).optional(),
  }),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: z.int().min(1),
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
        matchLabelKeys: z.array(z.string()).optional(),
        labelSelector: z.strictObject({ matchLabels: labels }),
      }),
    )
    .optional(),
  imagePullSecrets: z.array(z.strictObject({ name })).optional(),
  nodeSelector: labels.optional(),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional(),
        operator: z.enum(['Equal', 'Exists']).optional(),
        value: z.string().optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
        tolerationSeconds: z.int().optional(),
      }),
    )
    .optional(),
  affinity: z
    .strictObject({
      nodeAffinity: z.unknown().optional(),
      podAffinity: z.unknown().optional(),
      podAntiAffinity: z.unknown().optional(),
    })
    .optional(),
  priorityClassName: name.optional(),
  containers: z.tuple([container]),
  volumes: z
    .array(
      z.strictObject({
        name,
        emptyDir: z.strictObject({ sizeLimit: z.string() }).optional(),
        configMap: z.strictObject({ name }).optional(),
        secret: z.strictObject({ secretName: name }).optional(),
      }),
    )
    .default([]),
});
const workload = {
  selector: z.strictObject({ matchLabels: labels }),
  template: z.strictObject({
    metadata: z.strictObject({ labels, annotations: labels.optional() }),
    spec: podSpec,
  }),
};
const selector = z.strictObject({
  matchLabels: labels.optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(['In', 'NotIn']),
        values: z.array(z.string()).min(1),
      }),
    )
    .optional(),
});
const peers = z
  .array(
    z.strictObject({
      podSelector: selector.optional(),
      namespaceSelector: selector.optional(),
      ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
    }),
  )
  .min(1)
  .optional();
const policyPorts = z
  .array(z.strictObject({ protocol: z.enum(['TCP', 'UDP']), port: z.union([port, z.string()]) }))
  .min(1)
  .optional();
/** Each kind with its own field beside `type`; `pods` is undefined of the others. */
const scalingMetric = z
  .strictObject({
    type: z.enum(['Resource', 'Pods']),
    resource: z
      .strictObject({
        name: z.enum(['cpu', 'memory']),
        target: z.strictObject({ type: z.literal('Utilization'), averageUtilization: z.int().min(1) }),
      })
      .optional(),
    pods: z
      .strictObject({
        metric: z.strictObject({ name: z.string() }),
        target: z.strictObject({ type: z.literal('AverageValue'), averageValue: z.string() }),
      })
      .optional(),
  })
  .refine(({ type, resource, pods }) => (type === 'Pods' ? pods : resource) !== undefined, {
    error: 'has not the field that its type names',
  });
const metadata = z.looseObject({ name, namespace: name.optional(), labels: labels.optional() });

/** The fields that our manifests use, as the API of Kubernetes has them; any other is a mistake. */
const Manifest = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ apiVersion: z.literal('apps/v1'), kind: z.literal('Deployment'), metadata },
    spec: z.strictObject({
      ...workload,
      replicas: z.int().optional(),
      strategy: z.strictObject({
        rollingUpdate: z.strictObject({ maxSurge: z.int(), maxUnavailable: z.literal(0) }),
      }),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('apps/v1'), kind: z.literal('StatefulSet'), metadata },
    spec: z.strictObject({
      ...workload,
      serviceName: name,
      replicas: z.int(),
      volumeClaimTemplates: z.array(
        z.strictObject({
          metadata: z.strictObject({ name }),
          spec: z.strictObject({
            accessModes: z.tuple([z.literal('ReadWriteOnce')]),
            resources: z.strictObject({ requests: z.strictObject({ storage: z.string() }) }),
          }),
        }),
      ),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('v1'), kind: z.literal('Service'), metadata },
    spec: z.strictObject({
      selector: labels,
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).optional(),
      clusterIP: z.literal('None').optional(),
      ports: z.array(z.strictObject({ name: z.string(), port, targetPort: z.string() })),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('policy/v1'), kind: z.literal('PodDisruptionBudget'), metadata },
    spec: z.strictObject({ maxUnavailable: z.int(), selector: z.strictObject({ matchLabels: labels }) }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('networking.k8s.io/v1'), kind: z.literal('NetworkPolicy'), metadata },
    spec: z.strictObject({
      podSelector: selector,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
      ingress: z.array(z.strictObject({ from: peers, ports: policyPorts })).optional(),
      egress: z.array(z.strictObject({ to: peers, ports: policyPorts })).optional(),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('autoscaling/v2'), kind: z.literal('HorizontalPodAutoscaler'), metadata },
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({ apiVersion: z.string(), kind: z.string(), name }),
      minReplicas: z.int().min(1),
      maxReplicas: z.int(),
      metrics: z.array(scalingMetric).min(1),
      behavior: z.strictObject({
        scaleDown: z.strictObject({
          stabilizationWindowSeconds: z.int().min(0).max(3600),
          policies: z.array(
            z.strictObject({
              type: z.enum(['Pods', 'Percent']),
              value: z.int().min(1),
              periodSeconds: z.int().min(1).max(1800),
            }),
          ),
        }),
      }),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('monitoring.coreos.com/v1'), kind: z.literal('ServiceMonitor'), metadata },
    spec: z.strictObject({
      selector: z.strictObject({ matchLabels: labels }),
      endpoints: z.array(z.strictObject({ port: z.string(), path: z.string(), interval: z.string() })),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('networking.k8s.io/v1'), kind: z.literal('Ingress'), metadata },
    spec: z.strictObject({
      ingressClassName: name.optional(),
      tls: z.array(z.strictObject({ secretName: name, hosts: z.array(z.string()) })).optional(),
      rules: z.array(
        z.strictObject({
          host: z.string(),
          http: z.strictObject({
            paths: z.array(
              z.strictObject({
                path: z.string(),
                pathType: z.literal('Prefix'),
                backend: z.strictObject({
                  service: z.strictObject({ name, port: z.strictObject({ name: z.string() }) }),
                }),
              }),
            ),
          }),
        }),
      ),
    }),
  }),
  z.strictObject({
    ...{ apiVersion: z.literal('v1'), kind: z.literal('ConfigMap'), metadata },
    data: z.record(z.string(), z.string()),
  }),
  z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('Namespace'), metadata }),
]);
export type Manifest = z.output<typeof Manifest>;
export type Kind = Manifest['kind'];

/** False where there is no kubectl to render with. */
export const hasKustomize = (): boolean => spawnSync('kubectl', ['kustomize', '--help']).status === 0;

/**
 * An overlay as it would be applied.
 * @throws Error with kubectl's words, or naming the field that is none of Kubernetes'.
 */
export const render = (overlay: string): readonly Manifest[] => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(FOLDER, 'overlays', overlay)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return asManifests(overlay, stdout);
};

/** @throws Error naming the field that is none of Kubernetes'. */
export const asManifests = (from: string, text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw new Error(`${from}: ${document.errors.join('; ')}`);
      return document.toJS() as { kind?: string; metadata?: { name?: string } } | null;
    })
    .filter((value) => value !== null)
    .map((value) => {
      const parsed = Manifest.safeParse(value);
      if (parsed.success) return parsed.data;
      throw new Error(`${from}: ${value.kind} ${value.metadata?.name}: ${z.prettifyError(parsed.error)}`);
    });

export const ofKind = <K extends Kind>(manifests: readonly Manifest[], kind: K) =>
  manifests.filter((one): one is Extract<Manifest, { kind: K }> => one.kind === kind);
