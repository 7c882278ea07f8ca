{{/*
A service: Deployment, Service, and a budget for disruptions. Called with a dict:
  root, what      as everywhere
  values          its part of the values
  status          its status port
  ports           name and number of its other ports
  environment     name of a template with its own variables
  redis, plugins  whether it uses them
  checksum        changes when what it mounts changes, so that its pods are replaced
*/}}
{{- define "sluice.workload" -}}
{{- $values := .root.Values }}
{{- $scaled := and .values.autoscaling .values.autoscaling.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "sluice.metadata" . | nindent 2 }}
spec:
  {{- if not $scaled }}
  replicas: {{ .values.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "sluice.selector" . | nindent 6 }}
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  template:
    metadata:
      labels:
        app.kubernetes.io/part-of: sluice
        {{- include "sluice.selector" . | nindent 8 }}
      {{- with .checksum }}
      annotations:
        checksum/config: {{ . }}
      {{- end }}
    spec:
      {{- include "sluice.pod" . | nindent 6 }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "sluice.metadata" . | nindent 2 }}
  {{- if .values.service }}
  {{- with .values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
spec:
  {{- if .values.service }}
  type: {{ .values.service.type }}
  {{- end }}
  selector:
    {{- include "sluice.selector" . | nindent 4 }}
  ports:
    {{- range $name, $port := .ports }}
    - { name: {{ $name }}, port: {{ $port }}, targetPort: {{ $name }} }
    {{- end }}
    - { name: status, port: {{ .status }}, targetPort: status }
---
# A node is emptied one of them at a time.
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "sluice.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "sluice.selector" . | nindent 6 }}
{{- end }}

{{- define "sluice.pod" -}}
{{- $values := .root.Values -}}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ add (int $values.drain.delaySeconds) (int $values.drain.timeoutSeconds) 5 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: {{ $values.spread.topologyKey }}
    whenUnsatisfiable: {{ $values.spread.whenUnsatisfiable }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "sluice.selectorOfAll" . | nindent 8 }}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
containers:
  - name: sluice
    {{- include "sluice.container" . | nindent 4 }}
volumes:
  - name: data
    emptyDir: { sizeLimit: 1Gi }
  {{- if .mountsConfig }}
  - name: config
    configMap: { name: {{ include "sluice.configMap" . }} }
  {{- end }}
  {{- if and .plugins $values.plugins.configMap }}
  - name: plugins
    configMap: { name: {{ $values.plugins.configMap }} }
  {{- end }}
  {{- range .values.secretMounts }}
  - name: secret-{{ .secret }}
    secret: { secretName: {{ .secret }} }
  {{- end }}
{{- end }}

{{- define "sluice.container" -}}
{{- $values := .root.Values }}
{{- with $values.image -}}
image: {{ with .registry }}{{ . }}/{{ end }}{{ .repository }}/{{ $.what }}
  {{- with index .digests $.what }}@{{ . }}{{ else }}:{{ default (default $.root.Chart.AppVersion .tag) (index .tags $.what) }}{{ end }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
env:
  {{- include "sluice.environment" . | nindent 2 }}
  {{- with include .environment . }}
  {{- . | nindent 2 }}
  {{- end }}
ports:
  {{- range $name, $port := .ports }}
  - { name: {{ $name }}, containerPort: {{ $port }} }
  {{- end }}
  - { name: status, containerPort: {{ .status }} }
# The first start of a registry makes the streams.
startupProbe:
  httpGet: { path: /livez, port: status }
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: { path: /readyz, port: status }
  periodSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /livez, port: status }
  periodSeconds: 10
  failureThreshold: 3
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  - { name: data, mountPath: /data }
  {{- if .mountsConfig }}
  - { name: config, mountPath: /config, readOnly: true }
  {{- end }}
  {{- if and .plugins $values.plugins.configMap }}
  - { name: plugins, mountPath: /plugins, readOnly: true }
  {{- end }}
  {{- range .values.secretMounts }}
  - { name: secret-{{ .secret }}, mountPath: {{ .path }}, readOnly: true }
  {{- end }}
{{- end }}

{{/* The ConfigMap with kong.yml. */}}
{{- define "sluice.configMap" -}}
{{- if .root.Values.config.existing }}{{ .root.Values.config.existing }}{{ else }}{{ include "sluice.name" (dict "root" .root "what" "config") }}{{ end }}
{{- end }}
