const NAME = /^[a-zA-Z0-9._-]{1,249}$/

/** Kafka's rule for topic names: 1 to 249 of letters, digits, `.`, `_` and `-`, and neither `.` nor `..`. */
export function isValidTopicName(name: string): boolean {
  return NAME.test(name) && name !== '.' && name !== '..'
}
