import express from 'express'
import type { Clock } from '../broker/env/clock.ts'
import type { Disk } from '../broker/env/disk.ts'
import type { Admins } from './admins.ts'
import { KAFKA_CLUSTER, KAFKA_TOPIC } from './api/resource.ts'
import type { KafkaCluster, KafkaTopic, Resource, ResourceType } from './api/resource.ts'
import { loadAssets } from './console/assets.ts'
import { Feed } from './console/feed.ts'
import type { ConsoleSource } from './console/feed.ts'
import { consoleRoutes } from './console/server.ts'
import { listen } from './http.ts'
import type { KubeApi } from './kube/api.ts'

export interface ConsoleOptions {
  readonly host: string
  readonly port: number
  /** Null: all. */
  readonly namespaces: readonly string[] | null
}

interface Deps {
  readonly api: KubeApi
  readonly clock: Clock
  readonly disk: Disk
  readonly brokers: Pick<Admins, 'look' | 'groups'>
}

const WEB = `${import.meta.dirname}/console/web`
/** Thousands of KafkaTopics are a long list; which topic has one changes seldom. */
const TOPICS_FOR_MS = 30_000

/** Serves the console until it is disposed of. It reads by itself, so that it shows the same wherever it runs: leading or not. */
export function serveConsole(options: ConsoleOptions, deps: Deps): Promise<AsyncDisposable> {
  const app = express()
  app.disable('x-powered-by')
  app.use(consoleRoutes(loadAssets(deps.disk, WEB), new Feed(source(options, deps), deps.clock)))
  return listen(app, options)
}

function source({ namespaces }: ConsoleOptions, { api, clock, brokers }: Deps): ConsoleSource {
  const list = async <T extends Resource>(type: ResourceType): Promise<T[]> => {
    const lists = await Promise.all((namespaces ?? [null]).map((namespace) => api.list<T>(type, { namespace })))
    return lists.flatMap(({ items }) => items)
  }
  let topics: { readonly atMs: number; readonly items: readonly KafkaTopic[] } | null = null
  return {
    clusters: () => list<KafkaCluster>(KAFKA_CLUSTER),
    topics: async () => {
      const nowMs = clock.monotonicMs()
      if (topics === null || nowMs - topics.atMs > TOPICS_FOR_MS) {
        topics = { atMs: nowMs, items: await list<KafkaTopic>(KAFKA_TOPIC) }
      }
      return topics.items
    },
    look: (cluster) => brokers.look(cluster),
    groups: (cluster, kafka) => brokers.groups(cluster, kafka),
  }
}
