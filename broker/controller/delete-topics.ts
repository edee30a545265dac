import { ZERO_UUID } from '../lib/uuid.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestOf, ResponseInputOf } from '../protocol/apis.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { duplicates, type ElementOf, type NewMetadataRecord, type Outcome } from './result.ts'

type Request = RequestOf<typeof ApiKey.DeleteTopics>
type Response = ResponseInputOf<typeof ApiKey.DeleteTopics>
type TopicResult = ElementOf<Response['responses']>

/** Deletes topics, by name or, from v6 on, by id. A topic that is named twice, whichever way, is refused. */
export function deleteTopics(image: MetadataImage, request: Request): Outcome<Response> {
  const responses: TopicResult[] = []
  const refuse = (name: string | null, topicId: string, errorCode: ErrorCode, errorMessage: string | null = null) => {
    responses.push({ name, topicId, errorCode, errorMessage })
  }
  const { names, ids } = requested(request, refuse)
  const doomed = new Map<string, string>()
  for (const id of ids) {
    const topic = image.topicById(id)
    if (topic === undefined) refuse(null, id, ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
    else doomed.set(id, topic.name)
  }
  for (const name of names) {
    const topic = image.topic(name)
    if (topic === undefined) {
      const why = 'This server does not host this topic-partition.'
      refuse(name, ZERO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, why)
    } else if (doomed.delete(topic.id)) {
      const why = 'The provided topic name maps to an ID that was already supplied.'
      refuse(name, topic.id, ErrorCode.INVALID_REQUEST, why)
    } else doomed.set(topic.id, name)
  }
  const records: NewMetadataRecord[] = []
  for (const [topicId, name] of doomed) {
    records.push({ type: 'RemoveTopicRecord', version: 0, value: { topicId } })
    responses.push({ name, topicId, errorCode: ErrorCode.NONE, errorMessage: null })
  }
  return { records, response: { throttleTimeMs: 0, responses } }
}

type Refuse = (name: string | null, topicId: string, errorCode: ErrorCode, errorMessage?: string | null) => void

/** The names and ids that are asked for once. */
function requested(request: Request, refuse: Refuse): { names: Set<string>; ids: Set<string> } {
  const allNames = [...request.topicNames]
  const allIds: string[] = []
  for (const { name, topicId } of request.topics) {
    if (name === null && topicId === ZERO_UUID) {
      refuse(null, ZERO_UUID, ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.')
    } else if (name === null) allIds.push(topicId)
    else if (topicId === ZERO_UUID) allNames.push(name)
    else refuse(name, topicId, ErrorCode.INVALID_REQUEST, 'You may not specify both topic name and topic id.')
  }
  const names = new Set(allNames)
  const ids = new Set(allIds)
  for (const name of duplicates(allNames)) {
    names.delete(name)
    refuse(name, ZERO_UUID, ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
  }
  for (const id of duplicates(allIds)) {
    ids.delete(id)
    refuse(null, id, ErrorCode.INVALID_REQUEST, 'Duplicate topic id.')
  }
  return { names, ids }
}
