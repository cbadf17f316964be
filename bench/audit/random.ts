/** Chance with a seed: the same seed gives the same log, on every machine. */

export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  below(below: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  /** `length` characters of the alphabet that Kubernetes uses for generated names. */
  suffix(length: number): string
  hex(length: number): string
  uuid(): string
  /** Base64 text that stands for `bytes` random bytes. */
  base64(bytes: number): string
}

const NAMES = 'bcdfghjklmnpqrstvwxz2456789'
const HEX = '0123456789abcdef'
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** mulberry32 (Tommy Ettinger, public domain). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const from = (alphabet: string, length: number): string => {
    let text = ''
    for (let i = 0; i < length; i++) text += alphabet[below(alphabet.length)]
    return text
  }
  const hex = (length: number): string => {
    let text = ''
    while (text.length < length)
      text += Math.floor(next() * 0x1000000)
        .toString(16)
        .padStart(6, '0')
    return text.slice(0, length)
  }
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    suffix: (length) => from(NAMES, length),
    hex,
    uuid() {
      const digits = hex(31)
      const variant = HEX[8 + below(4)]
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(12, 15)}-${variant}${digits.slice(15, 18)}-${digits.slice(18, 30)}`
    },
    base64: (bytes) => `${from(BASE64, Math.ceil((bytes * 4) / 3))}=`,
  }
}

/** Chooses among things by weight. */
export function weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): (random: Random) => T {
  const total = choices.reduce((sum, [weight]) => sum + weight, 0)
  return (random) => {
    let left = random.next() * total
    for (const [weight, value] of choices) {
      left -= weight
      if (left < 0) return value
    }
    return (choices[0] as readonly [number, T])[1]
  }
}
