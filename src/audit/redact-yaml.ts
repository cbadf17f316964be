/**
 * Credentials in strings that hold YAML or properties (a kubeconfig or `application.properties` in a ConfigMap): values
 * of `token: …`, `password=…`, `client-key-data: …`, block scalars with their lines, flow mappings too. Keys stay.
 */
import { isCredentialName, REDACTED } from './redact-text.ts'

const MAY_HOLD = /(?:token|passw(?:or)?d|key|client[-_.]?secret|authorization)["']?[ \t]*[:=]/i
/** Indentation (with list dashes), key with separator, the key alone, value. */
const LINE = /^([ \t]*(?:-[ \t]+)*)(["']?([\w.-]{1,64})["']?[ \t]*[:=][ \t]*)(.*)$/
const FLOW = /([{,][ \t]*["']?([\w.-]{1,64})["']?[ \t]*:[ \t]*)("[^"\n]*"|'[^'\n]*'|[^,{}[\]\n]+)/g
/** What is no value yet: it follows in lines that stand further to the right. */
const BLOCK = /^(?:(?:!!?\w+|&\w+)[ \t]*)*(?:[|>][-+\d]*)?[ \t]*(?:#.*)?$/

export function redactYaml(text: string): string {
  return MAY_HOLD.test(text) ? redactLines(text) : text
}

function redactLines(text: string): string {
  const kept: string[] = []
  let hiddenBelow = Number.POSITIVE_INFINITY
  for (const line of text.split('\n')) {
    if (line.trim() === '' ? hiddenBelow < Number.POSITIVE_INFINITY : indentOf(line) > hiddenBelow) continue
    const match = LINE.exec(line)
    const isCredential = match !== null && isCredentialKey(match[3] as string)
    kept.push(isCredential ? hideValue(match) : line.replace(FLOW, hideFlow))
    hiddenBelow = isCredential && isBlock(match) ? (match[1] as string).length : Number.POSITIVE_INFINITY
  }
  return kept.join('\n')
}

function hideValue([, indent, key = '']: RegExpExecArray): string {
  return `${indent}${key}${key.endsWith(':') ? ' ' : ''}${REDACTED}`
}

function isBlock([, , , , value = '']: RegExpExecArray): boolean {
  return BLOCK.test(value.trimEnd())
}

function hideFlow(whole: string, lead: string, key: string): string {
  return isCredentialKey(key) ? `${lead}${REDACTED}` : whole
}

/** In properties the name is the last part: `spring.datasource.password`. */
function isCredentialKey(key: string): boolean {
  return isCredentialName(key) || isCredentialName(key.slice(key.lastIndexOf('.') + 1))
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
