import type { Message } from '../schema/message.ts'
import type { VersionRange } from '../schema/versions.ts'
import { ApiKey } from './api-key.ts'

export type ListenerKind = 'broker' | 'controller'

/** What one API is: its messages, and how the broker deals with it. */
export interface Api<RequestOut = unknown, RequestIn = never, ResponseOut = unknown, ResponseIn = never> {
  readonly key: number
  /** As in Kafka's documentation, without Request and Response. */
  readonly name: string
  /** The versions that have a schema. */
  readonly versions: VersionRange
  /** What ApiVersions tells: without unstable versions; for Produce from 0, which librdkafka needs to see before it compresses. */
  readonly advertisedVersions: VersionRange
  /** The last version, where it is not stable yet. */
  readonly latestUnstable: number | null
  readonly listeners: readonly ListenerKind[]
  /** A broker that is not the controller forwards it in an Envelope. */
  readonly forwardable: boolean
  /** Needs CLUSTER_ACTION on the cluster: brokers and controllers among themselves. */
  readonly clusterAction: boolean
  readonly request: Message<RequestOut, RequestIn>
  readonly response: Message<ResponseOut, ResponseIn>
}

interface ApiOptions {
  readonly listeners: readonly ListenerKind[]
  readonly forwardable?: boolean
  readonly clusterAction?: boolean
  readonly latestUnstable?: number
}

export const BROKER: readonly ListenerKind[] = ['broker']
export const CONTROLLER: readonly ListenerKind[] = ['controller']
export const BOTH: readonly ListenerKind[] = ['broker', 'controller']

/** Declares the API of a request and its response. */
export function api<QO, QI, SO, SI>(
  request: Message<QO, QI>,
  response: Message<SO, SI>,
  options: ApiOptions,
): Api<QO, QI, SO, SI> {
  const { listeners, forwardable = false, clusterAction = false, latestUnstable = null } = options
  const { min, max } = request.versions
  const key = request.apiKey
  return {
    key,
    name: request.name.slice(0, -'Request'.length),
    versions: request.versions,
    advertisedVersions: {
      min: key === ApiKey.Produce ? 0 : min,
      max: latestUnstable === max ? max - 1 : max,
    },
    latestUnstable,
    listeners,
    forwardable,
    clusterAction,
    request,
    response,
  }
}

/** 2 carries tagged fields, 1 does not. */
export function requestHeaderVersion(of: Api, version: number): number {
  return of.request.isFlexible(version) ? 2 : 1
}

/** 1 carries tagged fields, 0 does not; ApiVersions always answers with 0, since the client may not know the version yet (KIP-511). */
export function responseHeaderVersion(of: Api, version: number): number {
  return of.key !== ApiKey.ApiVersions && of.response.isFlexible(version) ? 1 : 0
}
