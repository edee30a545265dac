/** `host:port`, as used for addresses of servers. Throws TypeError. */
export function splitAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  const port = Number(text.slice(colon + 1))
  if (colon < 0 || !Number.isInteger(port) || port < 0 || port > 65_535) throw flagError(`${text} is not host:port`)
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port }
}

/** As node:util's parseArgs throws them. */
export function flagError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_FLAG' })
}
