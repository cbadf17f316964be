/** Pieces that scenes are made of. */
import type { Cluster } from './cluster.ts'
import type { Call } from './event.ts'
import type { Random } from './random.ts'

/** One call, or a few that belong together. */
export type Scene = (cluster: Cluster, random: Random) => readonly Call[]

/** An object reference; empty parts are left out, as Go's encoder does. */
export function ref(
  resource: string,
  namespace: string,
  name: string,
  group = '',
  version = 'v1',
  subresource = '',
): Record<string, string> {
  return {
    resource,
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(group && { apiGroup: group }),
    apiVersion: version,
    ...(subresource && { subresource }),
  }
}

/** The path of a core resource in a namespace. */
export function core(namespace: string, resource: string, rest = ''): string {
  return `/api/v1/namespaces/${namespace}/${resource}${rest}`
}
