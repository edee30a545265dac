import type { Controller } from '../controller/controller.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf } from '../protocol/apis.ts'
import { type Answer, type Handler, handler } from './handler.ts'

export interface ClusterChangesDeps {
  readonly controller: Controller
  /** Resolves when this broker acts on everything that is committed: what was just created can be used at once. */
  readonly settled: () => Promise<void>
}

/**
 * The APIs that change the cluster's metadata: CreateTopics (19), DeleteTopics (20), AlterConfigs (33), CreatePartitions (37),
 * ElectLeaders (43), IncrementalAlterConfigs (44), UpdateFeatures (57), UnregisterBroker (64). The controller decides; the answer
 * waits until the change is committed and this broker has followed it.
 */
export function clusterChangeHandlers({ controller, settled }: ClusterChangesDeps): Handler<ApiKey>[] {
  const change = <K extends ApiKey>(key: K, decide: (request: RequestOf<K>) => Promise<Answer<K>>): Handler<K> =>
    handler(key, async (request) => {
      const answer = await decide(request)
      await settled()
      return answer
    })
  return [
    change(ApiKey.CreateTopics, (request) => controller.createTopics(request)),
    change(ApiKey.DeleteTopics, (request) => controller.deleteTopics(request)),
    change(ApiKey.CreatePartitions, (request) => controller.createPartitions(request)),
    change(ApiKey.AlterConfigs, (request) => controller.alterConfigs(request)),
    change(ApiKey.IncrementalAlterConfigs, (request) => controller.incrementalAlterConfigs(request)),
    change(ApiKey.ElectLeaders, (request) => controller.electLeaders(request)),
    change(ApiKey.UpdateFeatures, (request) => controller.updateFeatures(request)),
    change(ApiKey.UnregisterBroker, (request) => controller.unregisterBroker(request)),
  ]
}
