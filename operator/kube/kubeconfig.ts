import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import type { Credentials } from './credentials.ts'

/** The current context of $KUBECONFIG or ~/.kube/config, with whatever way to authenticate it asks for. */
export function kubeconfig(): Credentials {
  const config = new KubeConfig()
  config.loadFromDefault()
  return {
    server: config.getCurrentCluster()?.server ?? null,
    options: async () => {
      const options: RequestOptions = { headers: {} }
      await config.applyToHTTPSOptions(options)
      return options
    },
  }
}
