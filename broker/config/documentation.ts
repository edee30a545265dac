import { withoutListener } from './broker-keys.ts'
import { CLIENT_METRICS_DOCUMENTATION, COORDINATOR_DOCUMENTATION, groupDocumentation } from './documentation-groups.ts'
import { SECURITY_DOCUMENTATION } from './documentation-security.ts'
import { SERVER_DOCUMENTATION } from './documentation-server.ts'
import { STORAGE_DOCUMENTATION } from './documentation-storage.ts'
import { TOPIC_DOCUMENTATION } from './documentation-topic.ts'
import { topicSynonym } from './topic-config.ts'
import { isTakenAtStart, isWithoutEffect } from './without-effect.ts'

/** The keys that each broker key is the default of. */
const TOPIC_KEY_OF: ReadonlyMap<string, string> = new Map(
  Object.keys(TOPIC_DOCUMENTATION).flatMap((name) => {
    const broker = topicSynonym(name)
    return broker === undefined ? [] : [[broker, name]]
  }),
)

/** What a key of server.properties means, in one sentence; null where nothing is known of it. */
export function brokerDocumentation(name: string): string | null {
  const own =
    SERVER_DOCUMENTATION[name] ??
    STORAGE_DOCUMENTATION[name] ??
    COORDINATOR_DOCUMENTATION[name] ??
    SECURITY_DOCUMENTATION[name] ??
    groupDocumentation(name)
  if (own !== undefined) return own + restriction(name)
  const topicKey = TOPIC_KEY_OF.get(name)
  if (topicKey !== undefined) return topicDefault(name, topicKey)
  const base = withoutListener(name)
  return base === null ? null : brokerDocumentation(base)
}

function restriction(name: string): string {
  if (isTakenAtStart(name)) return ' Only what server.properties says at the start has an effect in this version.'
  return isWithoutEffect(name) ? ' It has no effect in this version.' : ''
}

function topicDefault(name: string, topicKey: string): string | null {
  const sentence = topicDocumentation(topicKey)
  return name === topicKey || sentence === null ? sentence : `Default of ${topicKey}: ${sentence}`
}

export function topicDocumentation(name: string): string | null {
  return TOPIC_DOCUMENTATION[name] ?? null
}

/** What a key of a group or of a client metrics subscription means. */
export function otherDocumentation(name: string): string | null {
  return CLIENT_METRICS_DOCUMENTATION[name] ?? groupDocumentation(name) ?? null
}
