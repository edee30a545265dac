/** What storage says, with fields, one event a call. */
export interface StorageLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
