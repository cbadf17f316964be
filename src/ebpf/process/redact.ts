/**
 * Secrets in arguments. Once per exec, over at most 4 KiB: what follows an option that names a secret, credentials in
 * URLs, headers that authorise, and keys and tokens that show by their form.
 */

export const REDACTED = '[redacted]'

const SECRET_NAME = '(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|auth|credentials?|client[-_]?secret|pwd)'
/** `--password=x`, `DB_PASSWORD=x`, `token:x`. */
const ASSIGNED = new RegExp(`^(-{0,2}[\\w.-]*${SECRET_NAME}[\\w.-]*\\s*[=:]\\s*)(.+)$`, 'is')
/** `--password x`: the next argument is the secret. */
const OPTION = new RegExp(`^-{1,2}[\\w.-]*${SECRET_NAME}$`, 'i')
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,256}:)[^\s/@]{1,512}@/gi
const AUTHORIZATION = /((?:authorization|proxy-authorization|x-api-key|x-auth-token|cookie)\s*:\s*(?:(?:basic|bearer|token|digest)\s+)?)\S[^'"\n]*/gi
const SECRET_IN_TEXT = new RegExp(`(\\b[\\w.-]*${SECRET_NAME}[\\w.-]*=)([^\\s&;'"]{1,512})`, 'gi')
const FORMS =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*/g
/** A cheap look at whether there is anything to do. */
const HINT = /pass|pwd|secret|token|key|auth|credential|cookie|:\/\/|AKIA|ASIA|gh[pousr]_|xox|eyJ|BEGIN|^-p./i
/** Clients of databases that take `-pSECRET`. */
const SHORT_PASSWORD = /^(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|sshpass)$/

export function redactArguments(args: readonly string[]): readonly string[] {
  const program = (args[0] ?? '').slice((args[0] ?? '').lastIndexOf('/') + 1)
  let isSecret = false
  return args.map((argument, i) => {
    if (isSecret) {
      isSecret = false
      if (!argument.startsWith('-')) return REDACTED
    }
    if (i === 0 || !HINT.test(argument)) return argument
    if (OPTION.test(argument)) {
      isSecret = true
      return argument
    }
    if (/^-p./.test(argument) && SHORT_PASSWORD.test(program)) return `-p${REDACTED}`
    return redactArgument(argument)
  })
}

function redactArgument(argument: string): string {
  const assigned = argument.length < 4096 ? ASSIGNED.exec(argument) : null
  if (assigned !== null && !/\s/.test(assigned[1] as string)) return `${assigned[1]}${REDACTED}`
  return argument
    .replace(URL_CREDENTIALS, `$1${REDACTED}@`)
    .replace(AUTHORIZATION, `$1${REDACTED}`)
    .replace(SECRET_IN_TEXT, `$1${REDACTED}`)
    .replace(FORMS, REDACTED)
}
