import type { Address, Network } from './env/network.ts'

const CONNECT_TIMEOUT_MS = 1000

/** Whether anybody listens at this address; 'unknown' also where nothing comes back: that node may only be slow. */
export async function probe(address: Address, network: Network): Promise<'refused' | 'unknown'> {
  try {
    const connection = await network.connect(address, CONNECT_TIMEOUT_MS)
    connection.destroy()
    return 'unknown'
  } catch (error) {
    return isRefusal(error) ? 'refused' : 'unknown'
  }
}

/** Whether so many of the voters refuse connections that the metadata quorum can decide nothing. */
export async function isQuorumLost(
  voters: readonly { readonly id: number; readonly endpoints: readonly Address[] }[],
  nodeId: number,
  network: Network,
): Promise<boolean> {
  const found = await Promise.all(
    voters.map(async ({ id, endpoints: [endpoint] }) =>
      id === nodeId || endpoint === undefined ? 'unknown' : probe(endpoint, network),
    ),
  )
  const left = found.filter((each) => each !== 'refused').length
  return voters.length > 0 && left <= voters.length / 2
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
