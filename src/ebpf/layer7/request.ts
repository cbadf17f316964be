/** What is told of an HTTP request: nothing of it that could be a secret. */
import { DEFAULT_DETECTORS } from '../../redaction/detectors.ts'
import { createMasks } from '../../redaction/mask.ts'
import { createScanner } from '../../redaction/scan.ts'

export interface HttpRequest {
  /** As it was sent; some servers take small letters as well. */
  readonly method: string
  /** Without its query, and with secrets replaced; empty for CONNECT. */
  readonly path: string
  /** In small letters, without its port. Of a request with an absolute URI, that of the URI, as servers see it. */
  readonly host: string | undefined
  /** Behind the host, when there was one. */
  readonly port?: number
  readonly userAgent: string | undefined
  readonly version: '1.0' | '1.1' | '2'
  /** The target was a whole URI, as proxies are asked. */
  readonly isAbsolute?: boolean
}

export interface Requests {
  readonly requests: readonly HttpRequest[]
  /** Where something begins that is not whole, or -1. */
  readonly rest: number
}

/** In the place of a query, or of a parameter of a path. */
export const REDACTED = '[REDACTED:query]'

const MOST_PATH = 1024
const MOST_HOST = 255
const MOST_AGENT = 256
const PARAMETER = /;([^;/=]{0,64})=[^;/]*/g

const scanner = createScanner({
  // Numbers of cards are no credential, and look like many a harmless number in paths.
  detectors: DEFAULT_DETECTORS.filter((name) => name !== 'credit_card'),
  masks: createMasks(undefined, undefined),
  allowed: [],
  found: () => {},
})

type Target = Pick<HttpRequest, 'path' | 'host' | 'port' | 'isAbsolute'>

/** Where a request goes, by its target and its header `Host`. */
export function targetOf(method: string, target: string, host: string | undefined): Target {
  if (method.toUpperCase() === 'CONNECT') return { path: '', ...hostOf(target) }
  const authority = authorityAt(target)
  if (authority < 0) return { path: pathOf(target), ...hostOf(host) }
  const end = firstOf(target, authority)
  const path = end < target.length && target[end] === '/' ? target.slice(end) : `/${target.slice(end)}`
  return { path: pathOf(path), ...hostOf(target.slice(authority, end)), isAbsolute: true }
}

export function agentOf(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : withoutSecrets(text.slice(0, MOST_AGENT))
}

/** Queries hold keys, codes and sessions: of one only that it was there is told. */
function pathOf(target: string): string {
  let end = 0
  while (end < target.length && target[end] !== '?' && target[end] !== '#') end++
  let path = target.slice(0, Math.min(end, MOST_PATH))
  if (path.includes(';')) path = path.replace(PARAMETER, `;$1=${REDACTED}`)
  const clean = withoutSecrets(path)
  return target[end] === '?' && end + 1 < target.length ? `${clean}?${REDACTED}` : clean
}

function withoutSecrets(text: string): string {
  return scanner.isSuspicious(text) ? scanner.detect(text) : text
}

/** Where the authority of an absolute URI begins, or -1. */
function authorityAt(target: string): number {
  if (target.startsWith('/')) return -1
  const colon = target.indexOf('://')
  return colon > 0 && colon < 16 && /^[a-z][a-z\d+.-]*$/i.test(target.slice(0, colon)) ? colon + 3 : -1
}

/** Where the path, the query or the fragment begins. */
function firstOf(target: string, at: number): number {
  while (at < target.length && target[at] !== '/' && target[at] !== '?' && target[at] !== '#') at++
  return at
}

function hostOf(authority: string | undefined): Pick<HttpRequest, 'host' | 'port'> {
  if (authority === undefined) return { host: undefined }
  const name = authority.slice(authority.lastIndexOf('@') + 1)
  const colon = name.lastIndexOf(':')
  // Colons inside of brackets belong to an address of IPv6.
  const hasPort = colon >= 0 && colon > name.lastIndexOf(']') && /^\d{0,5}$/.test(name.slice(colon + 1))
  const host = (hasPort ? name.slice(0, colon) : name).slice(0, MOST_HOST).toLowerCase()
  const port = hasPort ? Number(name.slice(colon + 1)) : 0
  return { host: host === '' ? undefined : host, ...(port > 0 && port < 65_536 ? { port } : {}) }
}
