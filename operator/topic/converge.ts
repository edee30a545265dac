import type { KafkaTopic } from '../api/resource.ts'
import { topicNameOf } from '../api/resource.ts'
import type { TopicAdmin, TopicState } from './admin.ts'
import { planTopic } from './plan.ts'
import type { Action, TopicLimits, TopicPlan } from './plan.ts'

export type Converged =
  | ({ readonly state: TopicState | null } & Omit<TopicPlan, 'actions'>)
  | { readonly state: TopicState | null; readonly refusal: string }

/**
 * Brings one topic to its spec, as far as `limits` let it. `onAction` is called after each change. Rejects with TopicRefusal where the broker
 * refuses a change.
 */
export async function convergeTopic(
  topic: KafkaTopic,
  limits: TopicLimits,
  admin: TopicAdmin,
  onAction: (action: Action) => Promise<void>,
): Promise<Converged> {
  const name = topicNameOf(topic)
  let state = await admin.describe(name)
  const plan = planTopic(topic.spec, name, state, limits)
  if ('refusal' in plan) return { state, refusal: plan.refusal }
  const { actions, ...rest } = plan
  for (const action of actions) {
    state = await perform(admin, name, action, state)
    await onAction(action)
  }
  return { state, ...rest }
}

/** Resolves with the topic as it is then. */
async function perform(
  admin: TopicAdmin,
  name: string,
  action: Action,
  before: TopicState | null,
): Promise<TopicState | null> {
  if (action.kind === 'create') return admin.create(action.topic)
  if (action.kind === 'grow') {
    await admin.grow(name, action.partitions)
    return before === null ? null : { ...before, partitions: action.partitions }
  }
  await admin.alterConfig(name, action.set, action.unset)
  if (before === null) return null
  const config = new Map([...before.config, ...action.set])
  for (const key of action.unset) config.delete(key)
  return { ...before, config }
}
