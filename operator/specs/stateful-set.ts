import {
  ANNOTATION_IMAGE,
  ANNOTATION_PARTS,
  ANNOTATION_RESTART,
  ANNOTATION_RESTARTED_FOR,
  STATEFUL_SET,
} from '../api/resource.ts'
import type { KafkaCluster, Manifest } from '../api/resource.ts'
import { certificateParts } from './certificates.ts'
import { configMap } from './config-map.ts'
import { labelsOf, ownedManifest, selectorOf } from './labels.ts'
import {
  CONTROLLER_PORT,
  headlessServiceName,
  METRICS_PORT,
  nodeHost,
  serviceAccountName,
  statefulSetName,
} from './nodes.ts'
import type { Pool } from './nodes.ts'
import { placeParts } from './place.ts'
import { poolMemory } from './pool-memory.ts'
import { CONFIG_ROOT, programsOf } from './programs.ts'
import { quorumArgs } from './quorum.ts'
import { templateParts } from './template-parts.ts'
import type { TemplateContainer, TemplateSpec } from './template-parts.ts'
import { servedPorts } from './services.ts'
import { DATA_ROOT, volumeClaimTemplates } from './volumes.ts'

/** Kubernetes replaces $(POD_NAME) by the container's variable. */
const PROPERTIES = `${CONFIG_ROOT}/$(POD_NAME).properties`
/** The image's user; see Dockerfile. */
const USER_ID = 1000
/** A broker with many partitions takes its time to flush them; what is not flushed is recovered at the next start. */
const TERMINATION_SECONDS = 120
/** Recovering a log after a crash takes as long as it takes: nothing restarts a broker that is at it. */
const STARTUP_MAX_SECONDS = 3600

export interface StatefulSetOptions {
  /** Of the cluster's distribution and version. */
  readonly image: string
  /** Of the bundled distribution: what helps a pod along before its broker starts is in it. */
  readonly helperImage: string
  readonly clusterId: string
  /** The claims of the StatefulSet that is there: they cannot be changed, so they are applied as they are. */
  readonly volumeClaims: readonly Manifest[] | null
}

/** The StatefulSet of one pool. */
export function statefulSet(cluster: KafkaCluster, pool: Pool, options: StatefulSetOptions): Manifest {
  const manifest = ownedManifest(cluster, STATEFUL_SET, statefulSetName(cluster, pool), { pool })
  return {
    ...manifest,
    metadata: { ...manifest.metadata, annotations: poolMemory(cluster, pool, options.clusterId) },
    spec: {
      replicas: pool.replicas,
      serviceName: headlessServiceName(cluster),
      selector: { matchLabels: selectorOf(cluster, pool) },
      // Not one after the other: a quorum forms only when its nodes start together, and a pod that cannot start must not block its repair.
      podManagementPolicy: 'Parallel',
      // Which pod may go is for the operator to say: Kubernetes knows nothing of partitions.
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      revisionHistoryLimit: 5,
      template: podTemplate(cluster, pool, options),
      volumeClaimTemplates: options.volumeClaims ?? volumeClaimTemplates(cluster, pool, options.clusterId),
    },
  }
}

function podTemplate(cluster: KafkaCluster, pool: Pool, options: StatefulSetOptions): object {
  const labels = { ...pool.template.metadata?.labels, ...labelsOf(cluster, pool) }
  const annotations = {
    ...pool.template.metadata?.annotations,
    'kubectl.kubernetes.io/default-container': 'kafka',
  }
  const spec = podSpec(cluster, pool, options)
  const restart = cluster.metadata.annotations?.[ANNOTATION_RESTART]
  return {
    metadata: {
      labels,
      annotations: {
        ...annotations,
        [ANNOTATION_PARTS]: templateParts({ labels, annotations }, spec),
        [ANNOTATION_IMAGE]: options.image,
        ...(restart === undefined ? {} : { [ANNOTATION_RESTARTED_FOR]: restart }),
      },
    },
    spec,
  }
}

function podSpec(cluster: KafkaCluster, pool: Pool, options: StatefulSetOptions): TemplateSpec {
  const { metadata: _, ...scheduling } = pool.template
  return {
    topologySpreadConstraints: spread(cluster, pool),
    ...scheduling,
    serviceAccountName: serviceAccountName(cluster),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: TERMINATION_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER_ID,
      runAsGroup: USER_ID,
      fsGroup: USER_ID,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    initContainers: [...waitContainers(cluster, pool, options), formatContainer(cluster, pool, options)],
    containers: [brokerContainer(cluster, pool, options)],
    volumes: [
      { name: 'config', configMap: { name: configMap(cluster, pool).metadata.name } },
      { name: 'tmp', emptyDir: {} },
      ...placeParts(cluster, pool).volumes,
      ...certificateParts(cluster, pool).volumes,
    ],
  }
}

/** Before anything else: what a pod waits for may be long in coming, and needs none of its volumes. */
function waitContainers(cluster: KafkaCluster, pool: Pool, { helperImage }: StatefulSetOptions): TemplateContainer[] {
  const { wait } = placeParts(cluster, pool)
  const { waits, volumeMounts } = certificateParts(cluster, pool)
  return [
    ...(wait === null ? [] : [{ name: 'place', args: wait.args, volumeMounts: [wait.volumeMount] }]),
    ...waits.map((certificate) => ({ ...certificate, volumeMounts })),
  ].map((waiting) => ({ ...container(pool, waiting.name, helperImage), ...waiting }))
}

/** Replicas on one machine, or in one rack, are lost together: apart where that can be. A template's own constraints replace it. */
function spread(cluster: KafkaCluster, pool: Pool): object[] {
  const labelSelector = { matchLabels: selectorOf(cluster, pool) }
  const keys = new Set([
    ...(cluster.spec.rack === undefined ? [] : [cluster.spec.rack.topologyKey]),
    'kubernetes.io/hostname',
  ])
  return [...keys].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector,
  }))
}

/** Formats the log directories of a new node; those of an old one are left alone. */
function formatContainer(
  cluster: KafkaCluster,
  pool: Pool,
  { image, clusterId }: StatefulSetOptions,
): TemplateContainer {
  const quorum = quorumArgs(cluster, pool, clusterId, (node) => `${nodeHost(cluster, node)}:${CONTROLLER_PORT}`)
  const format = ['format', '--ignore-formatted', ...quorum, '-t', clusterId, '-c', PROPERTIES]
  const common = withCertificates(container(pool, 'format', image), cluster, pool)
  const programs = programsOf(cluster)
  return { ...common, env: [...common.env, ...programs.env(pool)], ...programs.format(format) }
}

function brokerContainer(cluster: KafkaCluster, pool: Pool, { image }: StatefulSetOptions): TemplateContainer {
  const programs = programsOf(cluster)
  const ports = [...servedPorts(cluster, pool), ...(programs.hasMetrics ? [['metrics', METRICS_PORT] as const] : [])]
  const place = placeParts(cluster, pool)
  const common = withCertificates(container(pool, 'kafka', image), cluster, pool)
  const { startup, liveness, readiness } = programs.probes(pool)
  return {
    ...common,
    env: [...common.env, ...programs.env(pool), ...place.env],
    ...programs.serve([PROPERTIES, ...place.args]),
    ports: ports.map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    startupProbe: { ...startup, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: STARTUP_MAX_SECONDS },
    livenessProbe: { ...liveness, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { ...readiness, periodSeconds: 3, timeoutSeconds: 5, failureThreshold: 2 },
  }
}

interface Container extends TemplateContainer {
  readonly env: readonly object[]
  readonly volumeMounts: readonly object[]
}

/** A container that reads server.properties. */
function withCertificates(common: Container, cluster: KafkaCluster, pool: Pool): Container {
  return { ...common, volumeMounts: [...common.volumeMounts, ...certificateParts(cluster, pool).volumeMounts] }
}

/** What all containers have. */
function container(pool: Pool, name: string, image: string): Container {
  const volumes = Array.from({ length: pool.storage.volumes }, (_, volume) => `data-${volume}`)
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    resources: pool.resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'config', mountPath: CONFIG_ROOT, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...volumes.map((volume) => ({ name: volume, mountPath: `${DATA_ROOT}/${volume}` })),
    ],
  }
}
