{{- define "usher.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "usher.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Other pods of the release have another name than those that answer: no service, policy or budget of these is theirs. */}}
{{- define "usher.checkSelector" -}}
app.kubernetes.io/name: {{ printf "%s-check" (default .Chart.Name .Values.nameOverride | trunc 57 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "usher.testSelector" -}}
app.kubernetes.io/name: {{ printf "%s-test" (default .Chart.Name .Values.nameOverride | trunc 57 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "usher.checkName" -}}
{{- printf "%s-check" (include "usher.fullname" . | trunc 57 | trimSuffix "-") -}}
{{- end -}}

{{- define "usher.adminName" -}}
{{- printf "%s-admin" (include "usher.fullname" . | trunc 57 | trimSuffix "-") -}}
{{- end -}}

{{- define "usher.labels" -}}
{{ include "usher.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "usher.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "usher.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "usher.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Another configuration is another ConfigMap: pods of the one before, and a rollout that is undone, go on with theirs. */}}
{{- define "usher.configMap" -}}
{{- default (printf "%s-%s" (include "usher.fullname" . | trunc 52 | trimSuffix "-") (.Values.config | sha256sum | trunc 10)) .Values.existingConfigMap -}}
{{- end -}}

{{/* The control store is a file, which one pod at a time has open; empty: it is not, or nobody knows. */}}
{{- define "usher.storeInFile" -}}
{{- if not .Values.existingConfigMap -}}
{{- $control := default dict (fromYaml (default "" .Values.config)).control -}}
{{- if and (kindIs "map" $control) $control.path -}}
yes
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What is there for the check, and gone after it. A Job that failed stays, so that its log can be read. */}}
{{- define "usher.before" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* Where usher may connect to. */}}
{{- define "usher.egress" -}}
{{- with .Values.networkPolicy.egress -}}
egress:
  - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* What the container that serves has in common with those that look at what it is to serve. */}}
{{- define "usher.container" -}}
image: {{ include "usher.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - {name: USHER_LISTEN, value: "0.0.0.0:{{ .Values.ports.http }}"}
  - {name: USHER_SERVER, value: "http://127.0.0.1:{{ .Values.ports.http }}"} # for usher health, and commands that administer
  {{- range .Values.secrets.env }}
  - name: {{ required "secrets.env: name is required" .name }}
    valueFrom:
      secretKeyRef:
        name: {{ required "secrets.env: secret is required" .secret }}
        key: {{ required "secrets.env: key is required" .key }}
  {{- end }}
  {{- with .Values.traces }}
  {{- if .endpoint }}
  - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
  - {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .protocol | quote }}}
  - {name: OTEL_TRACES_SAMPLER, value: {{ .sampler | quote }}}
  - {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .ratio | quote }}}
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - name: POD_NAMESPACE
    valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
  - {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE)"}
  {{- end }}
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: config, mountPath: /etc/usher, readOnly: true}
  {{- if .Values.secrets.files }}
  - {name: secrets, mountPath: /run/secrets/usher, readOnly: true}
  {{- end }}
  {{- with .Values.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* So with their pods: the release's values, and the ConfigMap that is read. */}}
{{- define "usher.pod" -}}
{{- $configMap := index . 1 -}}
{{- with index . 0 -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: config
    configMap:
      name: {{ $configMap }}
  {{- if .Values.secrets.files }}
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- range .Values.secrets.files }}
        - secret: {name: {{ . }}}
        {{- end }}
  {{- end }}
  {{- with .Values.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* What the pod is told about usher.yml is what stands in it. */}}
{{- define "usher.check" -}}
{{- if not .Values.existingConfigMap -}}
{{- $text := required "config: the text of usher.yml is required (or existingConfigMap)" .Values.config -}}
{{- $config := fromYaml $text -}}
{{- with $config.Error -}}
{{- fail (printf "config: usher.yml is no YAML: %s" .) -}}
{{- end -}}
{{- $server := default dict $config.server -}}
{{- $admin := default "" $server.admin_listen -}}
{{- if not (hasSuffix (printf ":%v" .Values.ports.admin) $admin) -}}
{{- fail (printf "config: server.admin_listen has to be 0.0.0.0:%v, the port of ports.admin" .Values.ports.admin) -}}
{{- end -}}
{{- if regexMatch "^(127\\.|localhost:|\\[?(0*:)+0*1\\]?:|\\[?::ffff:127\\.)" (lower $admin) -}}
{{- fail (printf "config: server.admin_listen has to be 0.0.0.0:%v: at %s nobody outside of the pod reaches it, so nothing is scraped" .Values.ports.admin $admin) -}}
{{- end -}}
{{- if $server.tls -}}
{{- fail "config: server.tls is not for this chart, whose probes, service and USHER_SERVER speak http: leave it out, and have the ingress (ingress.tls) or a mesh speak TLS" -}}
{{- end -}}
{{- if ne (default "" $server.drain) (printf "%vs" .Values.drainSeconds) -}}
{{- fail (printf "config: server.drain has to be %vs, as drainSeconds says" .Values.drainSeconds) -}}
{{- end -}}
{{- if and (or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1)) (include "usher.storeInFile" .) -}}
{{- fail "config: control.path is a file, which one pod at a time has open: with several, the control store is in PostgreSQL (control.postgres)" -}}
{{- end -}}
{{- if and (or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1)) (not $server.secret) -}}
{{- fail "config: server.secret has to be there where several pods answer: each would read its own cursors only" -}}
{{- end -}}
{{- end -}}
{{- end -}}
