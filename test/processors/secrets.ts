/** Secrets that were never anybody's, made of parts so that no scanner takes this file for a leak. */
import { createRandom, type Random } from '../../bench/audit/random.ts'

export type { Random }
export { createRandom }

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = UPPER.toLowerCase()
const DIGITS = '0123456789'

export function text(random: Random, alphabet: string, length: number): string {
  let made = ''
  for (let i = 0; i < length; i++) made += alphabet[Math.floor(random.next() * alphabet.length)]
  return made
}

const word = (random: Random, length: number): string => text(random, UPPER + LOWER + DIGITS, length)
const base64url = (random: Random, length: number): string => text(random, `${UPPER}${LOWER}${DIGITS}-_`, length)

function card(random: Random): string {
  const start = `4${text(random, DIGITS, 14)}`
  for (let check = 0; check < 10; check++) {
    let sum = 0
    for (const [i, char] of [...`${start}${check}`].reverse().entries()) {
      const digit = Number(char) * (i % 2 === 0 ? 1 : 2)
      sum += digit > 9 ? digit - 9 : digit
    }
    if (sum % 10 === 0) return `${start}${check}`
  }
  throw new Error('there is always a check digit')
}

export interface Secret {
  readonly shown: string
  readonly hidden: string
}

/** By detector: the text as it stands in a log, and the part of it that nobody may read. */
export const SECRETS: Readonly<Record<string, (random: Random) => Secret>> = {
  private_key(random) {
    const hidden = `${word(random, 64)}\n${word(random, 64)}`
    const kind = random.pick(['', 'RSA ', 'EC '])
    return {
      shown: `-----BEGIN ${kind}PRIVATE ${'KEY'}-----\n${hidden}\n-----END ${kind}PRIVATE ${'KEY'}-----`,
      hidden,
    }
  },
  jwt(random) {
    const hidden = `${'ey'}J${base64url(random, 33)}.${'ey'}J${base64url(random, 80)}.${base64url(random, 43)}`
    return { shown: hidden, hidden }
  },
  bearer_token(random) {
    const hidden = `${word(random, 31)}7`
    return { shown: `${random.next() < 0.5 ? 'Bearer' : 'bearer'} ${hidden}`, hidden }
  },
  basic_auth(random) {
    const hidden = Buffer.from(`${word(random, 6)}:${word(random, 12)}`).toString('base64')
    return { shown: `Basic ${hidden}`, hidden }
  },
  authorization(random) {
    const hidden = `${word(random, 20)}9`
    return { shown: `Authorization: Token ${hidden}`, hidden }
  },
  url_password(random) {
    const hidden = word(random, 12)
    return { shown: `postgres://app:${hidden}@db.internal:5432/orders`, hidden }
  },
  github_token(random) {
    const hidden = `${'gh'}p_${word(random, 36)}`
    return { shown: hidden, hidden }
  },
  gitlab_token(random) {
    const hidden = `${'glp'}at-${base64url(random, 20)}`
    return { shown: hidden, hidden }
  },
  slack_token(random) {
    const hidden = `${'xo'}xb-${text(random, DIGITS, 12)}-${word(random, 24)}`
    return { shown: hidden, hidden }
  },
  aws_access_key(random) {
    const hidden = `${'AK'}IA${text(random, `${UPPER}234567`, 16)}`
    return { shown: hidden, hidden }
  },
  aws_secret_key(random) {
    const hidden = text(random, `${UPPER}${LOWER}${DIGITS}+/`, 40)
    return { shown: `aws_secret_access_key: ${hidden}`, hidden }
  },
  gcp_api_key(random) {
    const hidden = `${'AI'}za${base64url(random, 35)}`
    return { shown: hidden, hidden }
  },
  gcp_access_token(random) {
    const hidden = `${'ya'}29.${base64url(random, 60)}`
    return { shown: hidden, hidden }
  },
  azure_key(random) {
    const hidden = `${text(random, `${UPPER}${LOWER}${DIGITS}+/`, 86)}==`
    return { shown: `AccountName=logs;AccountKey=${hidden};EndpointSuffix=core.windows.net`, hidden }
  },
  stripe_key(random) {
    const hidden = `${'sk'}_live_${word(random, 24)}`
    return { shown: hidden, hidden }
  },
  npm_token(random) {
    const hidden = `${'np'}m_${word(random, 36)}`
    return { shown: hidden, hidden }
  },
  password(random) {
    const hidden = `${word(random, 9)}!x`
    const forms = [
      `DB_PASSWORD=${hidden}`,
      `{"password":"${hidden}"}`,
      `{\\"apiKey\\": \\"${hidden}\\"}`,
      `--token ${hidden}`,
    ]
    return { shown: forms[Math.floor(random.next() * forms.length)] as string, hidden }
  },
  credit_card(random) {
    const digits = card(random)
    const hidden =
      random.next() < 0.5 ? digits : (digits.match(/\d{4}/g) as string[]).join(random.next() < 0.5 ? ' ' : '-')
    return { shown: hidden, hidden }
  },
  iban: () => ({ shown: 'DE89 3704 0044 0532 0130 00', hidden: '3704 0044 0532' }),
  email(random) {
    const hidden = `${text(random, LOWER, 8)}.x@example.org`
    return { shown: hidden, hidden }
  },
  ipv4(random) {
    const hidden = `203.0.113.${Math.floor(random.next() * 255)}`
    return { shown: hidden, hidden }
  },
}
