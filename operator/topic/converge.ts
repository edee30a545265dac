import type { KafkaTopic } from '../api/resource.ts'
import { topicNameOf } from '../api/resource.ts'
import type { TopicAdmin, TopicState } from './admin.ts'
import { planTopic } from './plan.ts'
import type { Action } from './plan.ts'

export type Converged =
  | { readonly state: TopicState | null; readonly replicasChange: string | null }
  | { readonly state: TopicState | null; readonly refusal: string }

/**
 * Brings one topic to its spec and reads it again. `onAction` is called after each change. Rejects with TopicRefusal where the broker
 * refuses a change.
 */
export async function convergeTopic(
  topic: KafkaTopic,
  admin: TopicAdmin,
  onAction: (action: Action) => Promise<void>,
): Promise<Converged> {
  const name = topicNameOf(topic)
  const state = await admin.describe(name)
  const plan = planTopic(topic.spec, name, state)
  if ('refusal' in plan) return { state, refusal: plan.refusal }
  for (const action of plan.actions) {
    await perform(admin, name, action)
    await onAction(action)
  }
  const after = plan.actions.length === 0 ? state : await admin.describe(name)
  return { state: after, replicasChange: plan.replicasChange }
}

function perform(admin: TopicAdmin, name: string, action: Action): Promise<void> {
  if (action.kind === 'create') return admin.create(action.topic)
  if (action.kind === 'grow') return admin.grow(name, action.partitions)
  return admin.alterConfig(name, action.set, action.unset)
}
