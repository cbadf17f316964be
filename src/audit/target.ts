/**
 * Where a request was going to, when that is not the API server itself: the pod, node or service behind it for
 * `exec`, `attach`, `portforward`, `log` and `proxy`, the node a pod was bound to, the path of a non-resource request.
 */
import { isMap } from './event.ts'
import { redactArguments, redactText } from './redact-text.ts'
import type { Request } from './request.ts'
import { decode, queryValues } from './request-uri.ts'
import { bounded, LIMITS } from './text.ts'

export interface Target {
  readonly kind: 'pod' | 'node' | 'service' | 'url'
  readonly namespace: string
  readonly name: string
  readonly container: string
  /** The command line of `exec`. */
  readonly command: readonly string[]
  /** As the client wrote it: a number, or the name of a port; several joined by commas. */
  readonly port: string
  /** The path behind the proxy, or of a non-resource request. */
  readonly path: string
}

const MAX_WORDS = 32
const MAX_PORTS = 16

/** The request's destination; undefined where the object it names is all there is to say. */
export function targetOf(request: Request, redact: boolean): Target | undefined {
  if (request.resource === '') {
    return request.path === '' ? undefined : target('url', '', '', { path: decode(request.path) })
  }
  if (request.subresource === '') return undefined
  switch (request.subresource) {
    case 'exec':
    case 'attach':
    case 'portforward':
    case 'log':
      return request.resource === 'pods' ? podTarget(request, redact) : undefined
    case 'proxy':
      return proxyTarget(request)
    case 'binding':
      return bindingTarget(request)
    default:
      return undefined
  }
}

function target(kind: Target['kind'], namespace: string, name: string, rest: Partial<Target>): Target {
  return { kind, namespace, name, container: '', command: [], port: '', path: '', ...rest }
}

function podTarget({ subresource, namespace, name, query }: Request, redact: boolean): Target {
  const words = subresource === 'exec' ? queryValues(query, 'command', MAX_WORDS) : []
  return target('pod', namespace, name, {
    container: queryValues(query, 'container', 1)[0] ?? '',
    command: redact ? redactArguments(words) : words,
    port: subresource === 'portforward' ? queryValues(query, 'ports', MAX_PORTS).join(',') : '',
  })
}

const PROXIED: Record<string, Target['kind']> = { pods: 'pod', services: 'service', nodes: 'node' }

/** `/api/v1/namespaces/NS/services/https:NAME:PORT/proxy/PATH`; the scheme and the port are optional. */
function proxyTarget({ resource, namespace, name, path }: Request): Target | undefined {
  const kind = Object.hasOwn(PROXIED, resource) ? PROXIED[resource] : undefined
  if (kind === undefined) return undefined
  const parts = name.split(':', 4)
  const named = parts.length >= 3 ? (parts[1] as string) : (parts[0] as string)
  const port = parts.length >= 3 ? (parts[2] as string) : (parts[1] ?? '')
  const proxied = afterSlashes(path, kind === 'node' ? 6 : 8)
  return target(kind, kind === 'node' ? '' : namespace, named, { port, path: redactText(decode(proxied)) })
}

/** The rest of a path from its `count`-th slash on; empty when it has fewer. */
function afterSlashes(path: string, count: number): string {
  let at = -1
  for (let i = 0; i < count; i++) {
    at = path.indexOf('/', at + 1)
    if (at < 0) return ''
  }
  return path.slice(at)
}

function bindingTarget({ event }: Request): Target | undefined {
  const object = event.requestObject
  const node = isMap(object) && isMap(object['target']) ? object['target']['name'] : undefined
  return typeof node === 'string' && node !== ''
    ? target('node', '', redactText(bounded(node, LIMITS.name)), {})
    : undefined
}
