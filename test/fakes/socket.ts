/** When Linux sends a SYN again that was not answered; then after twice as long, and so on. */
export const SYN_RETRY_MS = 1000

/** Whether a host of that name is the one that says so. */
export function isSelf(host: string): boolean {
  return ['localhost', '127.0.0.1', '0.0.0.0', '::1', '::', ''].includes(host)
}

/** An error as Node's sockets have them. */
export function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
