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
