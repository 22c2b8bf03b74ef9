{{/* The name of everything that there is once. */}}
{{- define "sluice.name" -}}
{{- if contains "sluice" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-sluice" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "sluice.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "sluice.name" .) "default") }}
{{- end }}

{{/* What the operator's pods are found by; never changed, since a Deployment's selector cannot be. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sluice.labels" -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: sluice
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* An image by its values: a list of them and the tag that there is without one. */}}
{{- define "sluice.image" -}}
{{- $image := index . 0 }}
{{- if $image.digest }}{{ printf "%s@%s" $image.repository $image.digest }}{{ else }}{{ printf "%s:%s" $image.repository ($image.tag | default (index . 1)) }}{{ end }}
{{- end }}

{{/* What is tolerated: dead nodes for half a minute, unless the values say how long. */}}
{{- define "sluice.tolerations" -}}
{{- $all := . | default list }}
{{- range $taint := list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" }}
  {{- $said := false }}
  {{- range $ }}
    {{- if and (eq (.key | default $taint) $taint) (eq (.effect | default "NoExecute") "NoExecute") }}{{ $said = true }}{{ end }}
  {{- end }}
  {{- if not $said }}
    {{- $all = append $all (dict "key" $taint "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" 30) }}
  {{- end }}
{{- end }}
{{- toYaml $all }}
{{- end }}
