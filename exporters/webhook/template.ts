/**
 * Templates are structures, not text: what a placeholder stands for becomes a value of JSON and is escaped as such,
 * so that no record can break out of its place.
 */
import { asText, type Expression, isMissing, parseExpression, type Secrets } from './expression.ts'

/** What a template is made of: maps, lists, texts with placeholders, and other values as they are. */
export type Template = string | number | boolean | null | readonly Template[] | { readonly [key: string]: Template }

export interface Fault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Everything that is wrong with a template. */
export function faultsOf(template: Template, path: readonly (string | number)[] = []): Fault[] {
  if (typeof template === 'string') {
    try {
      compileText(template, () => '')
      return []
    } catch (error) {
      return [{ path, message: `cannot be used as a template: ${(error as Error).message}` }]
    }
  }
  if (Array.isArray(template)) return template.flatMap((one, index) => faultsOf(one, [...path, index]))
  if (typeof template !== 'object' || template === null) return []
  return Object.entries(template).flatMap(([key, value]) => [
    ...(key.includes('{{') ? [{ path: [...path, key], message: 'a key cannot hold a placeholder' }] : []),
    ...faultsOf(value, [...path, key]),
  ])
}

/** Makes the function that fills a template. Throws for a template that has faults. */
export function compileTemplate(template: Template, secrets: Secrets): Expression {
  if (typeof template === 'string') return compileText(template, secrets)
  if (Array.isArray(template)) return compileList(template, secrets)
  if (typeof template !== 'object' || template === null) return () => template
  const members = Object.entries(template).map(([key, value]) => [key, compileTemplate(value, secrets)] as const)
  return (record) =>
    Object.fromEntries(
      members.map(([key, fill]) => [key, fill(record)] as const).filter(([, value]) => value !== undefined),
    )
}

function compileList(template: readonly Template[], secrets: Secrets): Expression {
  const items = template.map((one) => compileTemplate(one, secrets))
  return (record) => items.map((fill) => fill(record)).filter((value) => value !== undefined)
}

// Quoted texts may hold braces.
const PLACEHOLDER = /\{\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^"'}]|\}(?!\}))*)\}\}/g

/** A text that is one placeholder has the value as it is, also as a number or a map; among others all become text. */
function compileText(text: string, secrets: Secrets): Expression {
  const parts: (string | Expression)[] = []
  let at = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    parts.push(text.slice(at, match.index), parseExpression(match[1] ?? '', secrets))
    at = match.index + match[0].length
  }
  parts.push(text.slice(at))
  const open = parts.find((part) => typeof part === 'string' && part.includes('{{'))
  if (open !== undefined) throw new Error('a placeholder has no end: expected }}')
  const filled = parts.filter((part) => part !== '')
  const [only] = filled
  if (filled.length === 1 && typeof only === 'function') return (record) => orUndefined(only(record))
  return (record) => filled.map((part) => (typeof part === 'string' ? part : asText(part(record)))).join('')
}

function orUndefined(value: unknown): unknown {
  return isMissing(value) ? undefined : value
}
