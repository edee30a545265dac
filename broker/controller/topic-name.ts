import { ErrorCode } from '../protocol/errors.ts'
import { ApiError } from './result.ts'

const NAME_LENGTH_MAX = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/

/** Throws ApiError INVALID_TOPIC_EXCEPTION for a name that no topic may have. */
export function checkTopicName(name: string): void {
  const problem = topicNameProblem(name)
  if (problem !== null) throw new ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
}

/** What is wrong with a name that no topic may have; null where nothing is. */
export function topicNameProblem(name: string): string | null {
  const problem = problemOf(name)
  return problem === null ? null : `Topic name is invalid: ${problem}`
}

export function isTopicName(name: string): boolean {
  return problemOf(name) === null
}

function problemOf(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > NAME_LENGTH_MAX) {
    return `the length of '${name}' is longer than the max allowed length ${NAME_LENGTH_MAX}`
  }
  if (LEGAL_NAME.test(name)) return null
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}

/** Metrics replace the dots in a topic's name, so two names that then are the same cannot both exist; null where none can collide. */
export function collisionKey(name: string): string | null {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : null
}
