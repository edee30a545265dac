{{- define "ottla.name" -}}
{{- if contains "ottla" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-ottla" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "ottla.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "ottla.name" .) -}}
{{- end -}}

{{/* Of one release: two in a namespace, each for other namespaces, do not take turns. */}}
{{- define "ottla.lease" -}}
{{ include "ottla.name" . }}-operator
{{- end -}}

{{- define "ottla.selector" -}}
app.kubernetes.io/name: ottla-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ottla.labels" -}}
{{ include "ottla.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "ottla.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What the operator does in a namespace that it looks after; each verb is one that it calls. */}}
{{- define "ottla.rules" -}}
- apiGroups: [kafka.ottla.dev]
  resources: [kafkaclusters]
  verbs: [get, list, watch]
- apiGroups: [kafka.ottla.dev]
  resources: [kafkatopics, kafkarebalances]
  verbs: [get, list, watch, patch]
- apiGroups: [kafka.ottla.dev]
  resources: [kafkaclusters/status, kafkatopics/status, kafkarebalances/status]
  verbs: [patch]
# Owner references with blockOwnerDeletion need it where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [kafka.ottla.dev]
  resources: [kafkaclusters/finalizers, kafkarebalances/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch, create, patch, delete]
# For the Gateway API, where it is installed.
- apiGroups: [gateway.networking.k8s.io]
  resources: [tlsroutes]
  verbs: [get, list, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
{{- with .Values.rbac.certificates }}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: {{ toJson . }}
  verbs: [get]
{{- end }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, patch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [list, patch]
# For the Prometheus Operator, where it is installed.
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors, prometheusrules]
  verbs: [get, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
