{{- define "kascade.container" -}}
name: kascade
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: KAS_URL
    value: {{ .Values.kas.url | quote }}
  - name: HOST
    value: 0.0.0.0
  - name: PORT
    value: "4000"
  - name: BASE_PATH
    value: {{ .Values.basePath | quote }}
  {{- with .Values.allowedOrigins }}
  - name: ALLOWED_ORIGINS
    value: {{ join "," . | quote }}
  {{- end }}
  - name: NODE_OPTIONS
    value: {{ printf "--max-old-space-size=%d" (int .Values.heapMiB) | quote }}
  {{- range $name, $value := .Values.config }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- with .Values.redis.urlSecret }}
  {{- if .name }}
  - name: REDIS_URL
    valueFrom:
      secretKeyRef:
        name: {{ .name }}
        key: {{ .key }}
  {{- end }}
  {{- end }}
  {{- if .Values.serviceToken.secret.name }}
  - name: SERVICE_TOKEN_FILE
    value: /run/secrets/kascade/{{ .Values.serviceToken.secret.key }}
  {{- end }}
ports:
  - name: kascade
    containerPort: 4000
startupProbe:
  httpGet:
    path: {{ include "kascade.base" . }}/healthz
    port: kascade
  periodSeconds: 2
  failureThreshold: 30
readinessProbe:
  httpGet:
    path: {{ include "kascade.base" . }}/readyz
    port: kascade
  periodSeconds: 5
livenessProbe:
  httpGet:
    path: {{ include "kascade.base" . }}/healthz
    port: kascade
  periodSeconds: 10
  timeoutSeconds: 3
lifecycle:
  preStop:
    sleep:
      seconds: {{ .Values.preStopSleepSeconds }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- if .Values.serviceToken.secret.name }}
volumeMounts:
  - name: kascade-service-token
    mountPath: /run/secrets/kascade
    readOnly: true
{{- end }}
{{- end -}}

{{- define "kascade.volumes" -}}
- name: kascade-service-token
  secret:
    secretName: {{ .Values.serviceToken.secret.name }}
{{- end -}}
