/** Check digits and other proofs that a text is what it looks like. */

/** Payment cards: ranges of the large networks (ISO/IEC 7812 issuers) with their lengths, and the Luhn digit. */
const ISSUERS =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d|2\d\d)\d{12,15})$/

export function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  return ISSUERS.test(digits) && luhn(digits)
}

function luhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48
    sum += double ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit
  }
  return sum % 10 === 0
}

/** ISO 13616: the check digits make the rearranged number 1 modulo 97. */
export function isIban(text: string): boolean {
  const compact = text.replaceAll(' ', '')
  if (compact.length < 15 || compact.length > 34) return false
  let rest = 0
  for (const char of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(char, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** A word after `bearer` that is a credential rather than English: it has a digit or a sign, or is very long. */
export function isOpaque(word: string): boolean {
  return word.length >= 24 || (word.length >= 8 && /[\d.~+/=_]/.test(word.replace(/[.]+$/, '')))
}

/** RFC 7617: `user:password` in base64. */
export function isBasicCredential(encoded: string): boolean {
  if (encoded.length % 4 !== 0) return false
  return /^[^\0-\x1f\x7f:]*:[^\0-\x1f\x7f]*$/.test(Buffer.from(encoded.slice(0, 1024), 'base64').toString('utf8'))
}

const HARMLESS = /^(?:true|false|null|none|nil|yes|no|undefined|\d{1,2})$/i

/** What is assigned to a name such as `token` and is a value rather than a switch or a placeholder. */
export function isAssignedSecret(name: string, value: string): boolean {
  if (value.length < 3 || HARMLESS.test(value)) return false
  return !(/^(?:old)?pwd/i.test(name) && value.startsWith('/')) // The shell's working directory.
}
