import type { KafkaCluster } from '../api/resource.ts'
import type { Pod } from '../cluster/kubernetes.ts'
import { nodesOf } from '../specs/nodes.ts'
import { imageOf } from './reasons.ts'

/** Whether every node has a pod, and that has `image`. */
export function isOnImage(cluster: KafkaCluster, pods: readonly Pod[], image: string): boolean {
  const images = new Map(pods.map((pod) => [pod.metadata.name, imageOf(pod)]))
  return nodesOf(cluster).every(({ podName }) => images.get(podName) === image)
}
