/** Whether a host of that name is the one that says so. */
export function isSelf(host: string): boolean {
  return ['localhost', '127.0.0.1', '0.0.0.0', '::1', '::', ''].includes(host)
}

/** An error as Node's sockets have them. */
export function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
