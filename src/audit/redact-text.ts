/** Credentials in running text: messages, user agents, annotations, command lines, string leaves of API objects. */
import { boundedCache } from '../records/bounded-cache.ts'

export const REDACTED = '[REDACTED]'

// JWTs (RFC 7519, compact form) start with the base64url of `{"`; two segments are enough to be one that was cut.
// Only the start of a word is tried (or what follows an escape): else a run of `eyJ` would cost the square of its length.
const JWT = /(?:(?<![\w-])|(?<=%[\dA-Fa-f]{2}))eyJ[\w-]{4,}(?:\.|%2[Ee])[\w-]{4,}(?:(?:\.|%2[Ee])[\w-]*)*/g
const BEARER = /\bbearer(?:\s|%20|\+|:)+[^\s"',;&]+/gi
const AUTHORIZATION = /(\bauthorization["'\\]*\s*[:=]\s*["'\\]*)(?:[\w-]{1,20}\s+)?[^\s"',;&\\]+/gi
const PRIVATE_KEY = /-----BEGIN ([A-Z ]{0,30})PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g
/** OAuth tokens of OpenShift. */
const OPENSHIFT = /sha256(?:~|%7[Ee])[\w-]{16,}/g
const URL_PASSWORD = /(:\/\/[^\s/:@"']{0,256}:)[^\s/@#"']+@/g

/**
 * True for whatever one of the expressions above could change. It runs on every string of every event, so the cases
 * are spelled out: with the flag `i` it takes twice as long.
 */
const SUSPICIOUS = /eyJ|[Bb][Ee][Aa][Rr][Ee][Rr]|[Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz]|-----BEGIN|sha256[~%]|:\/\//

/** `text` with everything in it that looks like a bearer credential or a private key replaced by `[REDACTED]`. */
export function redactText(text: string): string {
  return SUSPICIOUS.test(text) ? scrub(text) : text
}

function scrub(text: string): string {
  return text
    .replace(PRIVATE_KEY, REDACTED)
    .replace(AUTHORIZATION, `$1${REDACTED}`)
    .replace(BEARER, `Bearer ${REDACTED}`)
    .replace(JWT, REDACTED)
    .replace(OPENSHIFT, REDACTED)
    .replace(URL_PASSWORD, `$1${REDACTED}@`)
}

const SENSITIVE_NAME =
  /(?:token|secret|passw(?:or)?d|passwd|passphrase|pwd|authorization|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|signature|credentials?|jwt|^sig|^auth|^key|^code)$/i

/** Says whether a query parameter, flag or variable of this name usually holds a credential. */
export function isSensitiveName(name: string): boolean {
  return SENSITIVE_NAME.test(name)
}

const CREDENTIAL =
  /^(?:[\w-]{0,40}(?:access|refresh|id|auth|bearer|session|api|bootstrap)[-_.]?token|token|[\w-]{0,40}passw(?:or)?d|passwd|[\w-]{0,40}client[-_.]?secret|[\w-]{0,40}api[-_.]?key|private[-_.]?key|[\w-]{0,40}secret[-_.]?(?:access[-_.]?)?key|client[-_.]?key[-_.]?data|authorization)$/i

/** Fields whose value is a credential wherever they are. `secretName`, `tokenPath` and other references are not. */
export const isCredentialName = boundedCache<boolean>(4096, (key) => CREDENTIAL.test(key))

const ASSIGNMENT = /^(-{0,2}([\w.-]{1,64})=)./

/**
 * A command line without its credentials: `--token=x` and `PASSWORD=x` keep their names, and an argument after
 * `--password` goes as a whole.
 */
export function redactArguments(words: readonly string[]): string[] {
  let hideNext = false
  return words.map((word) => {
    if (hideNext && !word.startsWith('-')) {
      hideNext = false
      return REDACTED
    }
    hideNext = word.startsWith('-') && !word.includes('=') && isSensitiveName(word)
    const assigned = ASSIGNMENT.exec(word)
    if (assigned !== null && isSensitiveName(assigned[2] as string)) return `${assigned[1]}${REDACTED}`
    return redactInline(redactText(word))
  })
}

const VALUE = `("[^"]*"|'[^']*'|[^\\s"';|&-][^\\s"';|&]*)`
const FLAG = new RegExp(`(--?([\\w-]{1,64})(?:=|\\s+))${VALUE}`, 'g')
const VARIABLE = new RegExp(`(\\b(\\w{1,64})=)${VALUE}`, 'g')
const MAY_HOLD_INLINE = /token|secret|passw|pwd|passphrase|credential|key|jwt|signature|authorization/i

/** A shell script in one argument (`sh -c "curl --token x"`): the same for flags and assignments inside it. */
function redactInline(word: string): string {
  if (!MAY_HOLD_INLINE.test(word)) return word
  const hide = (whole: string, lead: string, name: string): string =>
    isSensitiveName(name) ? `${lead}${REDACTED}` : whole
  return word.replace(FLAG, hide).replace(VARIABLE, hide)
}
