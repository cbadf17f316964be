/**
 * Takes secrets out of API objects, in place, before they are written as text.
 *
 * What goes: `data`, `stringData` and the last-applied annotation of everything that is a Secret or may be one
 * (by kind at any depth, or because the request was for secrets: lists, tables and patches carry no kind); values under
 * names that hold credentials (`token` of TokenReview and TokenRequest, `password`, …); environment variables with such
 * names; operations of a JSON patch; text that holds a whole Secret; whatever looks like a bearer token or private key.
 * So do lines `token: …` of YAML in a string, and keys that are credentials themselves. Other names of keys stay: which keys a secret has is worth knowing, and is no secret.
 */
import { type AuditEvent, isMap, type JsonMap } from './event.ts'
import { isCredentialName, isSensitiveName, REDACTED, redactText } from './redact-text.ts'
import { redactYaml } from './redact-yaml.ts'
import { redactUri } from './request-uri.ts'

/** Deeper than any API object. What lies below is replaced as a whole. */
const MAX_DEPTH = 200
/** Shorter keys hold no credential that could be told from a name. */
const SHORTEST_TOKEN = 12
const TOO_DEEP = '[too deep]'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const MAX_NESTED_TEXT = 262_144
const MAX_NESTING = 3

interface Work {
  readonly node: JsonMap | unknown[]
  readonly depth: number
  /** Inside a Secret, or inside what a request for secrets sent or got back. */
  readonly secret: boolean
  /** How many strings that hold JSON this is inside of. */
  readonly nesting: number
}

/** Redacts a whole event: both bodies and every string beside them. */
export function redactEvent(event: AuditEvent): void {
  const whole = event as JsonMap
  const reference = event.objectRef
  const secret = isMap(reference) && reference['resource'] === 'secrets'
  for (const key in whole) {
    if (key === 'requestURI' && typeof whole[key] === 'string') whole[key] = redactUri(whole[key])
    else if (key === 'requestObject' || key === 'responseObject') whole[key] = redactValue(whole[key], secret)
    else whole[key] = redactValue(whole[key], false)
  }
}

/** Redacts any JSON value in place and returns it, or what replaces it. `secret`: it belongs to a request for secrets. */
export function redactValue(value: unknown, secret: boolean): unknown {
  if (typeof value === 'string') return secret ? REDACTED : redactLeaf(value, 0)
  if (typeof value !== 'object' || value === null) return value
  return redactAll({ node: value as JsonMap | unknown[], depth: 0, secret, nesting: 0 })
}

function redactAll(first: Work): unknown {
  const work: Work[] = [first]
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (Array.isArray(next.node)) {
      const array = next.node
      for (let i = 0; i < array.length; i++) array[i] = redactMember(array[i], next, next.secret, work)
    } else {
      redactMap(next.node, next, work)
    }
  }
  return first.node
}

/** Redacts a string, postpones a container, keeps the rest. */
function redactMember(value: unknown, { depth, nesting }: Work, secret: boolean, work: Work[]): unknown {
  if (typeof value === 'string') return redactLeaf(value, nesting)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return TOO_DEEP
  work.push({ node: value as JsonMap | unknown[], depth: depth + 1, secret, nesting })
  return value
}

function redactMap(map: JsonMap, parent: Work, work: Work[]): void {
  const secret = parent.secret || isSecretKind(map['kind'])
  if (isPatchOperation(map)) redactOperation(map, secret)
  const variable = isSensitiveVariable(map)
  for (const key of Object.keys(map)) {
    const value = map[key]
    const member = isHidden(key, value, variable)
      ? REDACTED
      : secret && isSecretField(key)
        ? redactEntries(value)
        : redactMember(value, parent, secret, work)
    if (member !== value) setOwn(map, key, member)
    redactKey(map, key)
  }
}

/** Keys are names, unless somebody put a credential there. */
function redactKey(map: JsonMap, key: string): void {
  if (key.length < SHORTEST_TOKEN) return
  const clean = redactText(key)
  if (clean === key) return
  const value = map[key]
  delete map[key]
  let name = clean
  for (let i = 2; name in map; i++) name = `${clean} ${i}`
  map[name] = value
}

function isHidden(key: string, value: unknown, variable: boolean): boolean {
  return isScalarOrList(value) && (isCredentialName(key) || (variable && key === 'value'))
}

/** `{ name: 'DB_PASSWORD', value: '…' }`, as containers list their environment. */
function isSensitiveVariable(map: JsonMap): boolean {
  return typeof map['name'] === 'string' && typeof map['value'] === 'string' && isSensitiveName(map['name'])
}

/** `JSON.parse` may have made an own property `__proto__`, which an assignment would not reach. */
function setOwn(map: JsonMap, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true })
  else map[key] = value
}

function isSecretKind(kind: unknown): boolean {
  return typeof kind === 'string' && kind.length <= 10 && /^secret(?:list)?$/i.test(kind)
}

function isSecretField(key: string): boolean {
  return key === LAST_APPLIED || /^(?:data|stringData|binaryData)$/i.test(key)
}

function isScalarOrList(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0)
}

/** Values go, keys stay. */
function redactEntries(value: unknown): unknown {
  if (!isMap(value)) return value === null ? null : REDACTED
  for (const key of Object.keys(value)) setOwn(value, key, REDACTED)
  return value
}

function isPatchOperation(map: JsonMap): boolean {
  return typeof map['op'] === 'string' && typeof map['path'] === 'string' && 'value' in map
}

/** An operation of a JSON patch (RFC 6902): the path says what the value is. */
function redactOperation(operation: JsonMap, secret: boolean): void {
  const path = operation['path'] as string
  const last = path
    .slice(path.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
  if (isCredentialName(last) && isScalarOrList(operation['value'])) operation['value'] = REDACTED
  if (!secret) return
  const isWhole = path === '' || path === '/'
  const isHarmless = path.startsWith('/metadata') || path === '/type' || path === '/immutable'
  if (last === LAST_APPLIED || !(isHarmless || (isWhole && isMap(operation['value'])))) operation['value'] = REDACTED
}

const HOLDS_SECRET = /(?:^|[\s"'\\{,-])kind["'\\]*\s*:\s*["'\\]*Secret(?:List)?\b/

/** A string inside an object: it may itself be a manifest in JSON or YAML. */
function redactLeaf(text: string, nesting: number): string {
  if (text.length < 8 || text === REDACTED) return text
  const first = text.charCodeAt(0)
  if ((first === 123 || first === 91) && nesting < MAX_NESTING && text.length <= MAX_NESTED_TEXT) {
    const nested = redactNested(text, nesting + 1)
    if (nested !== undefined) return nested
  }
  return HOLDS_SECRET.test(text) ? REDACTED : redactText(redactYaml(text))
}

/** JSON in a string, such as the last-applied annotation: redacted as what it is. Undefined when it is not JSON. */
function redactNested(text: string, nesting: number): string | undefined {
  try {
    const node = JSON.parse(text)
    if (typeof node !== 'object' || node === null) return undefined
    return JSON.stringify(redactAll({ node, depth: 0, secret: false, nesting }))
  } catch {
    return undefined
  }
}
