{{- define "kascade.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kascade.labels" -}}
{{ include "kascade.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "kascade.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The pods that Kascade runs in: its own, or KAS's. */}}
{{- define "kascade.pods" -}}
{{- if eq .Values.mode "sidecar" -}}
{{ toYaml .Values.kas.podLabels }}
{{- else -}}
{{ include "kascade.selector" . }}
{{- end -}}
{{- end -}}

{{/* basePath without a slash at its end; empty for "/". */}}
{{- define "kascade.base" -}}
{{- trimSuffix "/" .Values.basePath -}}
{{- end -}}

{{/* Seconds from the preStop pause to the end of the process, at most: what docs/operations.md says of draining. */}}
{{- define "kascade.longestStop" -}}
{{- $drain := get .Values.config "DRAIN_SECONDS" | default "10" | int -}}
{{- $answers := get .Values.config "MAX_REQUEST_SECONDS" | default "30" | int -}}
{{- add .Values.preStopSleepSeconds $drain $answers 10 -}}
{{- end -}}
