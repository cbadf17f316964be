/**
 * What credentials and personal data look like. Every expression takes time linear in the text: what repeats without
 * bound either always leads to a match, or starts only where a run of its characters starts.
 */
import { isAssignedSecret, isBasicCredential, isCardNumber, isIban, isOpaque } from './checks.ts'

/**
 * In the order in which they are applied. Words come first: in `token=Bearer abc` what is named must go before what is
 * assigned hides the name.
 */
export const SIEVES = ['words', 'signs', 'digits'] as const

export interface Detector {
  /** On unless `detectors` says otherwise. */
  readonly isDefault: boolean
  /** The first sieve, which all texts go through: detectors whose hints are fast to look for together share one. */
  readonly sieve: (typeof SIEVES)[number]
  /** One of these characters, or a match of one of these sources, is in every text that holds something of this kind. */
  readonly signs?: string
  readonly hints?: readonly string[]
  /** The second: what it does not match holds nothing of this kind either. */
  readonly needs: RegExp
  /** No possible match is shorter. */
  readonly minLength: number
  /** Global. What the groups `lead` and `secret` say goes: all but `lead`, or only `secret`, which ends the match. */
  readonly pattern: RegExp
  isReal?(match: RegExpExecArray): boolean
  /** After a match that was not real, go on behind it: every other one inside would end at the same place. */
  readonly isRun?: boolean
}

/** Before it stands no letter or digit, unless they are the end of an escape (`%3D`, `\n`). */
const START = String.raw`(?:(?<![A-Za-z0-9])|(?<=%[\dA-Fa-f]{2})|(?<=\\[nrt]))`

const SECRET_NAME =
  '(?:passw(?:or)?d|passphrase|pwd|(?:client|app|consumer|shared|webhook|hmac|signing)[-_.]?secret|' +
  'secret[-_.]?(?:access[-_.]?)?key|(?:api|access|private|signing|encryption|account)[-_.]?key|token|credentials?)'
const ASSIGNED = String.raw`(?:\s{0,2}(?:=|%3D)\s{0,2}|\\{0,3}["'] ?[:=]\s{0,4}(?=\\{0,3}["']))`
/** The value: to the closing quote (escaped like the opening one), or one word. Already masked ones are left alone. */
const VALUE =
  String.raw`(?:\\{0,3}["'])?(?!\[REDACTED[:\]]|\*{4}(?:["'\\\s&;,]|$))` +
  String.raw`(?<secret>(?<=\\["'])(?:(?!\\{1,3}["'])[^\r\n])+|(?<=(?<!\\)")(?:[^"\\]|\\[\s\S])+|(?<=(?<!\\)')(?:[^'\\]|\\[\s\S])+|[^\s"'&;,|<>()\\{}]+)`

/** By name, in the order in which they are applied: what is more specific comes first. */
export const DETECTORS = {
  private_key: {
    isDefault: true,
    sieve: 'signs',
    hints: ['--'],
    needs: /-----BEGIN/,
    minLength: 30,
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|$)/g,
  },
  // RFC 7519 in compact form: starts with the base64url of `{"`; two parts are enough to be one that was cut.
  jwt: {
    isDefault: true,
    sieve: 'signs',
    signs: 'J',
    needs: /eyJ/,
    minLength: 12,
    pattern: /eyJ[\w-]{4,}(?:(?:\.|%2[Ee])[\w-]*)*/g,
    isReal: ([text]) => /(?:\.|%2[Ee])[\w-]{4}/.test(text),
    isRun: true,
  },
  bearer_token: {
    isDefault: true,
    sieve: 'words',
    hints: ['[bB][eE][aA][rR][eE][rR]'],
    needs: /bearer/i,
    minLength: 14,
    pattern: /(?<lead>bearer(?:\s|%20|\+|["':\\]){1,8})[\w.~+/=%-]+/gi,
    isReal: (match) => isOpaque(match[0].slice(match.groups?.['lead']?.length)),
  },
  basic_auth: {
    isDefault: true,
    sieve: 'words',
    hints: ['[bB][aA][sS][iI][cC]'],
    needs: /basic/i,
    minLength: 14,
    pattern: /(?<lead>basic(?:\s|%20){1,8})[A-Za-z0-9+/]{6,}={0,2}/gi,
    isReal: (match) => isBasicCredential(match[0].slice(match.groups?.['lead']?.length)),
  },
  authorization: {
    isDefault: true,
    sieve: 'words',
    hints: ['[oO][rR][iI][zZ][aA]'],
    needs: /authorization/i,
    minLength: 20,
    pattern:
      /(?<lead>authorization["'\\]{0,6}\s{0,4}(?:[:=]|%3d)\s{0,4}["'\\]{0,6}(?:[\w-]{1,20}\s{1,4})?)(?!\[REDACTED[:\]]|\*{4})[^\s"',;&\\[]+/gi,
    isReal: (match) => isOpaque(match[0].slice(match.groups?.['lead']?.length)),
  },
  url_password: {
    isDefault: true,
    sieve: 'signs',
    signs: '\\',
    hints: ['://'],
    needs: /@/,
    minLength: 7,
    pattern: /(?<lead>:\\?\/\\?\/[^\s/:@"'\\]{0,256}:)(?!\[REDACTED[:\]]|\*{4}@)[^\s/@?#"'\\]+(?=@)/g,
  },
  github_token: {
    isDefault: true,
    sieve: 'signs',
    signs: '_',
    needs: /gh[pousr]_|github_pat_/,
    minLength: 33,
    pattern: /gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}/g,
  },
  gitlab_token: {
    isDefault: true,
    sieve: 'signs',
    hints: ['lpat-'],
    needs: /glpat-/,
    minLength: 26,
    pattern: /glpat-[\w-]{20,}(?:\.[\w-]{1,64}){0,4}/g,
  },
  slack_token: {
    isDefault: true,
    sieve: 'signs',
    signs: '\\',
    hints: ['xox', 'xapp', '://'],
    needs: /xox[a-z]-|xapp-|hooks\.slack/,
    minLength: 15,
    pattern:
      /xox[a-z]-[\w-]{10,}|xapp-\d-[\w-]{10,}|(?<lead>\/hooks\.slack\.com\\?\/(?:services|workflows|triggers)\\?\/)[\w\\/-]{10,}/g,
  },
  aws_access_key: {
    isDefault: true,
    sieve: 'signs',
    signs: 'I',
    needs: /A[KSB]IA/,
    minLength: 20,
    pattern: new RegExp(`${START}A[KSB]IA[A-Z0-9]{16}(?![A-Za-z0-9])`, 'g'),
  },
  aws_secret_key: {
    isDefault: true,
    sieve: 'signs',
    signs: '_=%',
    hints: ['["\'] ?:', 'ey:'],
    needs: /key/i,
    minLength: 50,
    pattern:
      /(?<lead>secret[-_.]?(?:access[-_.]?)?key["'\\]{0,6}\s{0,4}(?:[:=]|%3d)\s{0,4}["'\\]{0,6})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi,
  },
  gcp_api_key: {
    isDefault: true,
    sieve: 'signs',
    signs: 'I',
    needs: /AIza/,
    minLength: 39,
    pattern: /AIza[\w-]{35,}/g,
  },
  gcp_access_token: {
    isDefault: true,
    sieve: 'signs',
    hints: ['a29', 'CSPX'],
    needs: /ya29\.|GOCSPX-/,
    minLength: 25,
    pattern: /ya29\.[\w-]{20,}(?:\.[\w-]+)*|GOCSPX-[\w-]{20,}/g,
  },
  azure_key: {
    isDefault: true,
    sieve: 'signs',
    signs: '=',
    needs: /(?:Key\s?|sig)=/,
    minLength: 25,
    pattern: /(?<lead>(?:Account|SharedAccess)Key\s?=\s?|(?:[?&;]|\\u0026|%26)sig=)[\w%+/-]{20,}={0,2}/g,
  },
  stripe_key: {
    isDefault: true,
    sieve: 'signs',
    signs: '_',
    needs: /k_live_|whsec_/,
    minLength: 22,
    pattern: /(?:[rs]k_live|whsec)_[A-Za-z0-9+/]{16,}/g,
  },
  npm_token: {
    isDefault: true,
    sieve: 'signs',
    signs: '_',
    needs: /npm_/,
    minLength: 40,
    pattern: /npm_[A-Za-z0-9]{36,}/g,
  },
  password: {
    isDefault: true,
    sieve: 'signs',
    signs: '=%',
    hints: ['["\'] ?:', '--'],
    needs: /pass|pwd|secret|token|key|credential/i,
    minLength: 7,
    pattern: new RegExp(
      `(?<name>${SECRET_NAME})${ASSIGNED}${VALUE}|--[\\w-]{0,40}?${SECRET_NAME}\\s{1,4}(?!-)${VALUE.replace('<secret>', '<argument>')}`,
      'gi',
    ),
    isReal: ({ groups }) => isAssignedSecret(groups?.['name'] ?? '', groups?.['secret'] ?? groups?.['argument'] ?? ''),
  },
  credit_card: {
    isDefault: true,
    sieve: 'digits',
    hints: ['[2-6]\\d\\d\\d[ -]?\\d\\d\\d\\d'],
    needs: /\d{4}[ -]?\d{4}/,
    minLength: 13,
    pattern:
      /(?:(?<![A-Za-z0-9%\\]|\d\.)|(?<=%[\dA-Fa-f]{2})|(?<=\\[nrt]))(?:\d{13,19}|\d{4}(?<gap>[ -])\d{4}\k<gap>\d{4}\k<gap>\d{4}(?:\k<gap>\d{3})?|3[47]\d{2}(?<space>[ -])\d{6}\k<space>\d{5})(?![A-Za-z0-9]|\.\d)/g,
    isReal: ([text]) => isCardNumber(text),
  },
  iban: {
    isDefault: false,
    sieve: 'digits',
    hints: ['[A-Z]\\d\\d[ A-Z0-9]'],
    needs: /[A-Z]{2}\d{2}/,
    minLength: 15,
    pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g,
    isReal: ([text]) => isIban(text),
  },
  email: {
    isDefault: false,
    sieve: 'signs',
    signs: '@%',
    needs: /@|%40/,
    minLength: 6,
    pattern: /(?<![\w.%+-])[\w.%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/g,
  },
  ipv4: {
    isDefault: false,
    sieve: 'digits',
    hints: ['\\d\\.\\d'],
    needs: /\d\.\d/,
    minLength: 7,
    pattern: /(?<!\d|\d\.)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\d|\.\d)/g,
  },
} as const satisfies Record<string, Detector>

export type DetectorName = keyof typeof DETECTORS
export const DETECTOR_NAMES = Object.keys(DETECTORS) as DetectorName[]
export const DEFAULT_DETECTORS: DetectorName[] = DETECTOR_NAMES.filter((name) => DETECTORS[name].isDefault)

// What an attribute or member of a map is called whose value is a credential. `token: 3` and `tokenPath` are not.
const SECRET_KEY =
  /(?:passw(?:or)?d|passphrase|(?:access|refresh|id|auth|bearer|session|bootstrap|api)[-_.]?token|(?:client|app|consumer|shared|webhook|hmac|signing)[-_.]?secret|secret[-_.]?(?:access[-_.]?)?key|(?:api|private|signing|encryption|account)[-_.]?key|(?:^|[._-])(?:token|authorization|cookie))$/i

/** Says whether what is under this key is a credential whatever it looks like: part of the detector `password`. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key)
}
