/**
 * Secrets that were handed to a program in its arguments, replaced before anybody sees them: values of options whose
 * names say so, what well-known programs take as a password, and everything that looks like a credential by itself.
 */
import { DEFAULT_DETECTORS, isSecretKey } from '../../redaction/detectors.ts'
import { createMasks } from '../../redaction/mask.ts'
import { createScanner, type Scanner } from '../../redaction/scan.ts'

/** In the place of a secret; the same text that the redaction processor writes, which leaves it alone. */
export const REDACTED = '[REDACTED:argument]'

/** What is looked through of one argument; the rest of a longer one is cut off, since nobody has looked at it. */
const MOST_CHARACTERS = 8192

/** Names of options, without their dashes, whose value is a secret. Longer names are judged by their last words. */
const SECRET_OPTION =
  /(?:^|[-_.])(?:pass(?:w(?:or)?d|phrase|code)?|pwd|secret|secrets|token|auth|authorization|credential|credentials|cookie|bearer|otp|pin|psk|passin|passout)$/i
/** `--password-file`, `--token-url`, `--auth-type`: say where a secret is or of which kind, never what it is. */
const SECRET_KEY_OPTION = /(?:^|[-_.])(?:api|access|private|signing|encryption|account|shared|secret|master)[-_.]?key$/i
/** Names of headers that carry a credential. */
const SECRET_HEADER =
  /^\s*(?:(?:proxy-)?authorization|cookie|set-cookie|x-(?:api|auth|access)[\w-]{0,20}|[\w-]{0,40}(?:token|secret|api-?key))\s*:\s*/i

/** Options with one letter that take a secret, by program. `attached`: the value may follow in the same argument. */
interface Habit {
  readonly options: readonly string[]
  readonly attached: boolean
  /** Only what stands behind this character is secret: `user:password`. */
  readonly behind?: string
  /** Without a value of its own (`mysql -p`), the option asks; the next argument is something else. */
  readonly onlyAttached?: boolean
}

const MYSQL: Habit = { options: ['-p'], attached: true, onlyAttached: true }
const CURL: Habit = { options: ['-u', '-U', '--user', '--proxy-user'], attached: true, behind: ':' }
const HABITS: Readonly<Record<string, Habit>> = {
  mysql: MYSQL,
  mysqldump: MYSQL,
  mysqladmin: MYSQL,
  mysqlimport: MYSQL,
  mysqlcheck: MYSQL,
  mariadb: MYSQL,
  'mariadb-dump': MYSQL,
  'mariadb-admin': MYSQL,
  sshpass: { options: ['-p'], attached: true },
  curl: CURL,
  wget: { options: ['--user-password'], attached: false },
  'redis-cli': { options: ['-a', '--pass'], attached: false },
  mongo: { options: ['-p'], attached: false },
  mongosh: { options: ['-p'], attached: false },
  mongodump: { options: ['-p'], attached: false },
  docker: { options: ['-p'], attached: false },
  podman: { options: ['-p'], attached: false },
  nerdctl: { options: ['-p'], attached: false },
  helm: { options: ['-p'], attached: false },
  az: { options: ['-p'], attached: false },
  oc: { options: ['-p'], attached: false },
  ldapsearch: { options: ['-w'], attached: true },
  ldapmodify: { options: ['-w'], attached: true },
  ldapadd: { options: ['-w'], attached: true },
  ldapwhoami: { options: ['-w'], attached: true },
  sqlcmd: { options: ['-P'], attached: true },
  bcp: { options: ['-P'], attached: true },
  smbclient: { options: ['-U', '--user'], attached: true, behind: '%' },
  rpcclient: { options: ['-U', '--user'], attached: true, behind: '%' },
  zip: { options: ['-P', '--password'], attached: true },
  unzip: { options: ['-P'], attached: true },
  '7z': { options: ['-p'], attached: true, onlyAttached: true },
  openssl: { options: ['-passin', '-passout', '-pass', '-k', '-K'], attached: false },
  keytool: { options: ['-storepass', '-keypass', '-srcstorepass', '-deststorepass'], attached: false },
  ansible: { options: ['-e', '--extra-vars'], attached: false, behind: '=' },
}
/** `docker run -p 80:80` publishes a port; only `docker login` takes a password that way. */
const ONLY_LOGIN = new Set(['docker', 'podman', 'nerdctl', 'helm', 'az', 'oc'])
/** Commands inside of one argument (`sh -c`): an option of theirs is found by the name of the program before it. */
const INNER =
  /\b(mysql(?:dump|admin)?|mariadb(?:-dump)?|sshpass|ldapsearch|redis-cli)\b[^\n|;&]{0,160}?\s-([pwa])(\s?)([^\s"'|;&]{1,256})/g

/** Finds no secret of a shorter argument: most are, and need no look. */
const SHORTEST = 3

export class ArgumentRedactor {
  readonly #scanner: Scanner

  constructor() {
    this.#scanner = createScanner({
      // Numbers of cards are no credential, and look like many a harmless number in arguments.
      detectors: DEFAULT_DETECTORS.filter((name) => name !== 'credit_card'),
      masks: createMasks(undefined, undefined),
      allowed: [],
      found: () => {},
    })
  }

  /** The same array when nothing in it had to change. Never throws. */
  redact(args: readonly string[]): readonly string[] {
    let copy: string[] | undefined
    const habit = habitOf(args)
    let isNextSecret = false
    for (let i = 1; i < args.length; i++) {
      const arg = args[i] as string
      const next = isNextSecret ? secretValue(arg, habit, args[i - 1] as string) : this.#one(arg, habit)
      isNextSecret = !isNextSecret && asksForSecret(arg, habit)
      if (next === arg) continue
      copy ??= [...args]
      copy[i] = next
    }
    return copy ?? args
  }

  #one(given: string, habit: Habit | undefined): string {
    if (given.length < SHORTEST) return given
    const arg = given.length > MOST_CHARACTERS ? `${given.slice(0, MOST_CHARACTERS)}…` : given
    const equals = arg.indexOf('=')
    if (equals > 0 && equals < 80 && isSecretName(arg.slice(0, equals)) && equals + 1 < arg.length)
      return `${arg.slice(0, equals + 1)}${REDACTED}`
    const attached = habit?.attached === true ? attachedSecret(arg, habit) : undefined
    if (attached !== undefined) return attached
    const header = SECRET_HEADER.exec(arg)
    if (header !== null && header[0].length < arg.length) return `${header[0]}${REDACTED}`
    const inner = arg.includes(' ') ? arg.replace(INNER, maskInner) : arg
    return this.#scanner.detect(inner)
  }
}

function habitOf(args: readonly string[]): Habit | undefined {
  const [path = ''] = args
  const program = path.slice(path.lastIndexOf('/') + 1)
  if (!Object.hasOwn(HABITS, program)) return undefined
  if (ONLY_LOGIN.has(program) && !args.slice(1, 8).includes('login')) return undefined
  return HABITS[program]
}

/** `--password`, `-Dtoken`, `PGPASSWORD`, `spring.datasource.password`. */
function isSecretName(text: string): boolean {
  const name = text.replace(/^-{1,2}(?:D(?=[a-z]))?/, '')
  return SECRET_OPTION.test(name) || SECRET_KEY_OPTION.test(name) || isSecretKey(name)
}

/** True when the argument after this one is a secret. */
function asksForSecret(arg: string, habit: Habit | undefined): boolean {
  if (!arg.startsWith('-') || arg.length > 80 || arg.includes('=')) return false
  if (habit?.options.includes(arg) === true) return habit.onlyAttached !== true
  return arg.startsWith('-') && arg.length > 4 && isSecretName(arg)
}

function secretValue(arg: string, habit: Habit | undefined, option: string): string {
  // Another option: the one before it was a switch, or asks at the terminal.
  if (arg.startsWith('--') || arg === '') return arg
  if (habit?.behind !== undefined && habit.options.includes(option)) return behind(arg, habit.behind)
  return REDACTED
}

function attachedSecret(arg: string, habit: Habit): string | undefined {
  const { options, behind: sign } = habit
  const option = options.find((one) => arg.length > one.length && arg.startsWith(one))
  if (option === undefined) return undefined
  const isLong = option.startsWith('--')
  if (isLong && arg[option.length] !== '=') return undefined
  const lead = isLong ? `${option}=` : option
  const value = arg.slice(lead.length)
  return `${lead}${sign === undefined ? REDACTED : behind(value, sign)}`
}

function behind(value: string, sign: string): string {
  const at = value.indexOf(sign)
  return at < 0 ? value : `${value.slice(0, at + 1)}${REDACTED}`
}

function maskInner(whole: string, program: string, option: string, space: string, secret: string): string {
  const takes = HABITS[program]
  if (takes === undefined || !takes.options.includes(`-${option}`)) return whole
  if (takes.onlyAttached === true && space !== '') return whole
  return `${whole.slice(0, whole.length - secret.length)}${REDACTED}`
}

let redactor: ArgumentRedactor | undefined

/** The arguments of a program without the secrets in them; the same array when there are none. */
export function redactArguments(args: readonly string[]): readonly string[] {
  redactor ??= new ArgumentRedactor()
  return redactor.redact(args)
}

/** Variables that are asked for, of an environment; a name may end in `*`. Values are looked through like arguments. */
export function allowedEnvironment(entries: readonly string[], allow: ReadonlySet<string>): [string, string][] {
  if (allow.size === 0) return []
  const starts = [...allow].filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  const found: [string, string][] = []
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    if (equals <= 0) continue
    const name = entry.slice(0, equals)
    if (!allow.has(name) && !starts.some((start) => name.startsWith(start))) continue
    const [, clean = ''] = redactArguments(['', entry])
    found.push([name, clean.slice(equals + 1)])
  }
  return found
}
