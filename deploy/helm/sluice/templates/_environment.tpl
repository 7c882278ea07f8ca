{{/* What a service is told by its environment; called as the templates of _workload.tpl. */}}
{{- define "sluice.environment" -}}
{{- $values := .root.Values -}}
- { name: STATUS_HOST, value: "0.0.0.0" }
- { name: STATUS_PORT, value: {{ .status | quote }} }
- name: INSTANCE
  valueFrom:
    fieldRef: { fieldPath: metadata.name }
- { name: DRAIN_TIMEOUT_MS, value: {{ mul 1000 (int $values.drain.timeoutSeconds) | quote }} }
- name: NATS_URL
  {{- include "sluice.busAddress" . | nindent 2 }}
- { name: NATS_USER, value: {{ .what }} }
- name: NATS_PASSWORD
  valueFrom:
    secretKeyRef: { name: {{ $values.secrets.bus }}, key: {{ .what }} }
{{- if .redis }}
- name: REDIS_URL
  {{- include "sluice.redisAddress" . | nindent 2 }}
{{- end }}
{{- with $values.traces.endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
- { name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ $values.traces.protocol }} }
- { name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ $values.traces.share | quote }} }
{{- end }}
{{- if and .plugins $values.plugins.configMap }}
- { name: PLUGINS_DIR, value: /plugins }
{{- end }}
{{- range $name, $value := .values.settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{- define "sluice.busAddress" -}}
{{- if .root.Values.leaf.enabled -}}
value: nats://{{ include "sluice.name" (dict "root" .root "what" "leaf") }}:4222
{{- else if .root.Values.nats.own -}}
value: nats://{{ include "sluice.name" (dict "root" .root "what" "nats") }}:4222
{{- else if .root.Values.nats.url -}}
value: {{ .root.Values.nats.url | quote }}
{{- else -}}
valueFrom:
  secretKeyRef: { name: {{ .root.Values.secrets.bus }}, key: url }
{{- end }}
{{- end }}

{{- define "sluice.redisAddress" -}}
{{- if .root.Values.redis.own -}}
value: redis://{{ include "sluice.name" (dict "root" .root "what" "redis") }}:6379
{{- else if .root.Values.redis.url -}}
value: {{ .root.Values.redis.url | quote }}
{{- else -}}
valueFrom:
  secretKeyRef: { name: {{ .root.Values.secrets.redis }}, key: url }
{{- end }}
{{- end }}

{{/* For those who keep streams. */}}
{{- define "sluice.environment.replicas" -}}
{{- if gt (int .root.Values.nats.replicas) 1 -}}
- { name: NATS_REPLICAS, value: {{ .root.Values.nats.replicas | quote }} }
{{- end }}
{{- end }}
