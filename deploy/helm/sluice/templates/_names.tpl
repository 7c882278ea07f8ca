{{/* All of these are called with a dict of `root` and `what`: the service, or what else an object is for. */}}

{{/* The longest name is that of config-registry's Service, which may have 63 characters. */}}
{{- define "sluice.name" -}}
{{- if gt (len .root.Release.Name) 47 }}{{ fail "the name of the release may have 47 characters: names of Services begin with it" }}{{ end -}}
{{ .root.Release.Name }}-{{ .what }}
{{- end }}

{{- define "sluice.labels" -}}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "sluice.metadata" -}}
name: {{ include "sluice.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  app.kubernetes.io/name: {{ .what }}
  {{- include "sluice.labels" . | nindent 2 }}
{{- end }}

{{/* Selects the pods of one service of this release. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: {{ .what }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Selects the pods of all services of this release. */}}
{{- define "sluice.selectorOfAll" -}}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Selects the pods of those who use Redis. */}}
{{- define "sluice.selectorOfCounters" -}}
matchLabels:
  app.kubernetes.io/instance: {{ .root.Release.Name }}
matchExpressions:
  - { key: app.kubernetes.io/name, operator: In, values: [ratelimit, quota-mirror] }
{{- end }}

{{/* The services of this release; a site with a leaf node has edges alone. */}}
{{- define "sluice.services" -}}
{{- if .Values.leaf.enabled }}edge-proxy{{ else }}edge-proxy auth ratelimit quota-mirror config-registry{{ end }}
{{- end }}
