/**
 * What may stand between `{{` and `}}`: something of the record, and what shall be done with it.
 *
 *   body | attributes["k8s.pod.name"] | resource["k8s.cluster.name"] | default: "unknown" | truncate: 200
 */
import { recordToJson } from '../../src/records/json.ts'
import type { AnyValue, LogRecord } from '../../src/records/record.ts'
import { hrTimeToRfc3339 } from '../../src/records/time.ts'

/** Undefined where the record has nothing of the kind. */
export type Expression = (record: LogRecord) => unknown

const FIELDS: Readonly<Record<string, Expression>> = {
  body: ({ body }) => body,
  event_name: ({ eventName }) => eventName,
  time: ({ hrTime }) => hrTimeToRfc3339(hrTime),
  observed_time: ({ hrTimeObserved }) => hrTimeToRfc3339(hrTimeObserved),
  severity: ({ severityText }) => severityText,
  severity_number: ({ severityNumber }) => severityNumber,
  level: ({ severityNumber }) => levelOf(severityNumber),
  attributes: ({ attributes }) => attributes,
  resource: ({ resource }) => resource.attributes,
  scope: ({ instrumentationScope }) => instrumentationScope.name,
  record: (record) => JSON.parse(recordToJson(record)),
}

/** The words of PagerDuty and its kind. */
function levelOf(severity: number): string {
  if (severity >= 21) return 'critical'
  if (severity >= 17) return 'error'
  if (severity >= 13) return 'warning'
  return severity >= 9 ? 'info' : 'debug'
}

type Filter = (value: unknown, record: LogRecord) => unknown

const TEXT_FILTERS: Readonly<Record<string, (text: string) => string>> = {
  // https://api.slack.com/reference/surfaces/formatting#escaping: without it a value could mention everybody.
  slack: (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  markdown: (text) => text.replaceAll(/[\\`*_{}[\]()<>#+!|~-]/g, '\\$&'),
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([A-Za-z_]+)|(\d+)|([[\]|:]))/y

interface Token {
  readonly kind: 'text' | 'word' | 'number' | 'sign' | 'end'
  readonly value: string
}

/** What `secret["name"]` stands for. */
export type Secrets = (name: string) => string

/** Throws one sentence for what is no expression. */
export function parseExpression(text: string, secrets: Secrets): Expression {
  const tokens = tokenize(text)
  const source = peek(tokens).value === 'secret' ? parseSecret(tokens, secrets) : parseSource(tokens)
  const filters: Filter[] = []
  while (peek(tokens).value === '|') {
    tokens.shift()
    filters.push(parseFilter(tokens))
  }
  if (peek(tokens).kind !== 'end') throw new Error(`"${peek(tokens).value}" is not expected here`)
  if (filters.length === 0) return source
  return (record) => filters.reduce((value, filter) => filter(value, record), source(record))
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) throw new Error(`cannot read "${text.slice(at).trim()}"`)
    const [, double, single, word, number, sign] = match
    const quoted = double ?? single
    if (quoted !== undefined) tokens.push({ kind: 'text', value: quoted.replaceAll(/\\(.)/g, '$1') })
    else if (word !== undefined) tokens.push({ kind: 'word', value: word })
    else if (number !== undefined) tokens.push({ kind: 'number', value: number })
    else tokens.push({ kind: 'sign', value: sign ?? '' })
  }
  return tokens
}

function peek(tokens: readonly Token[]): Token {
  return tokens[0] ?? { kind: 'end', value: 'the end' }
}

function parseSource(tokens: Token[]): Expression {
  const { kind, value } = peek(tokens)
  const field = kind === 'word' && Object.hasOwn(FIELDS, value) ? FIELDS[value] : undefined
  if (field === undefined) throw new Error(`expected one of ${Object.keys(FIELDS).join(', ')}, found "${value}"`)
  tokens.shift()
  if (peek(tokens).value !== '[') return field
  if (value !== 'attributes' && value !== 'resource') throw new Error(`${value} has no attributes`)
  const key = parseKey(tokens, `${value}["user.name"]`)
  return (record) => {
    const map = field(record) as Readonly<Record<string, AnyValue>>
    return Object.hasOwn(map, key) ? map[key] : undefined
  }
}

function parseSecret(tokens: Token[], secrets: Secrets): Expression {
  tokens.shift()
  const value = secrets(parseKey(tokens, 'secret["routing_key"]'))
  return () => value
}

function parseKey(tokens: Token[], example: string): string {
  const [open, key, close] = tokens.splice(0, 3)
  if (open?.value !== '[' || key?.kind !== 'text' || close?.value !== ']') {
    throw new Error(`expected a name in quotes, such as ${example}`)
  }
  return key.value
}

function parseFilter(tokens: Token[]): Filter {
  const { value: name } = tokens.shift() ?? peek([])
  if (Object.hasOwn(TEXT_FILTERS, name)) {
    const change = TEXT_FILTERS[name] as (text: string) => string
    return (value) => (isMissing(value) ? value : change(asText(value)))
  }
  if (name === 'default') {
    const instead = parseDefault(argument(tokens, name))
    return (value, record) => (isMissing(value) || value === '' ? instead(record) : value)
  }
  if (name === 'truncate') {
    const { kind, value: digits } = argument(tokens, name).shift() ?? peek([])
    if (kind !== 'number') throw new Error('expected a number of characters, such as truncate: 200')
    return (value) => (isMissing(value) ? value : truncated(asText(value), Number(digits)))
  }
  throw new Error(`expected one of default, truncate, ${Object.keys(TEXT_FILTERS).join(', ')}, found "${name}"`)
}

function argument(tokens: Token[], name: string): Token[] {
  if (tokens.shift()?.value !== ':') throw new Error(`expected a colon behind ${name}`)
  return tokens
}

function parseDefault(tokens: Token[]): Expression {
  const { kind, value } = peek(tokens)
  if (kind === 'word') return parseSource(tokens)
  if (kind !== 'text' && kind !== 'number') throw new Error('expected a text in quotes behind default:')
  tokens.shift()
  return () => (kind === 'number' ? Number(value) : value)
}

export function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}

export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  return isMissing(value) ? '' : JSON.stringify(value)
}

/** Whole characters: half of a pair would be no text any more. */
function truncated(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text
    .slice(0, Math.max(0, length - 1))
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`
}
