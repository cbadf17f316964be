/** Where a cluster is and who is asking, in the keys of the `elasticsearch` exporter. */
import type { HttpClientSettings } from '../net/http-client.ts'
import { cloudUrl } from './cloud-id.ts'

export interface ConnectionSettings extends HttpClientSettings {
  readonly endpoint?: string | undefined
  readonly endpoints?: readonly string[] | undefined
  readonly cloudid?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly api_key?: string | undefined
}

/** URLs of the nodes. */
export function nodeUrls({ endpoint, endpoints, cloudid }: ConnectionSettings): URL[] {
  return (endpoints ?? [endpoint ?? cloudUrl(cloudid ?? '') ?? '']).map((url) => new URL(url))
}

/** The Collector's `user`, `password` and `api_key` in the words of our clients. */
export function clientSettings(settings: ConnectionSettings): HttpClientSettings {
  const { user, password = '', api_key, auth, headers, tls, proxy_url } = settings
  const shared = { headers, tls, proxy_url }
  if (user !== undefined) return { ...shared, auth: { basic: { username: user, password } } }
  return { ...shared, auth: api_key === undefined ? auth : { api_key } }
}
