/** What an action is: something that is done for real, the records it must leave, and its harmless neighbour. */

/** A record as the file exporter writes it. */
export interface Seen {
  readonly time: string
  readonly severity: string
  readonly severityNumber: number
  readonly eventName: string
  readonly body: unknown
  readonly attributes: Readonly<Record<string, unknown>>
  readonly resource: Readonly<Record<string, unknown>>
}

/** What a process of the action told about itself. */
export interface Said {
  readonly role: string
  readonly pid: number
  readonly [fact: string]: unknown
}

export interface Facts {
  /** What the first process of that role told; an empty object when none did. */
  of(role: string): Partial<Said>
  /** Whether the hooks of this kernel see files that are opened without a system call. */
  readonly seesEveryOpen: boolean
  /** What watches what, as the sensor said at its start. */
  readonly hooks: readonly { readonly feature: string; readonly hook: string }[]
}

/** A value, a pattern for text, or a question about the value. */
export type Match = string | number | boolean | RegExp | ((value: unknown, facts: Facts) => boolean)
export type Where = Readonly<Record<string, Match>>

export interface Expected {
  readonly event: string
  /** Role of the process that the record must be about. */
  readonly by?: string
  /** Gives the process of the record a name, for a later `parent`. */
  readonly as?: string
  /** The process that made this one, by role or by `as`. */
  readonly parent?: string
  readonly where?: Where
  readonly resource?: Where
  /** How many there must be at least; one unless told. Folded repeats count. */
  readonly times?: number
  /** True where the action could not be done, as the kernel lacks what it takes. */
  readonly unless?: (facts: Facts) => boolean
}

/** Where an action runs, and what it may use. */
export interface Place {
  readonly deed: string
  /** Directory of the programs. */
  readonly bin: string
  /** A directory of its own: also the working directory. */
  readonly dir: string
}

export type Command = (place: Place) => readonly string[]

export interface Action {
  readonly id: string
  readonly title: string
  readonly inContainer?: true
  readonly run: Command
  readonly expected: readonly Expected[]
  /** The most records that may come of it. */
  readonly atMost: number
  /** Something about all records of the action: what is wrong, or nothing. */
  readonly check?: (records: readonly Seen[], facts: Facts) => string | undefined
  readonly twin: {
    readonly run: Command
    /** Flags that are no harm here. */
    readonly allowed?: readonly string[]
    /** Records that must not come of it, beside the flags. */
    readonly never?: readonly { readonly event: string; readonly where?: Where }[]
  }
}

/** An array that has all of these. */
export function has(...wanted: readonly string[]): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && wanted.every((one) => value.includes(one))
}

/** The number or text that a process told. */
export function told(role: string, fact: string): (value: unknown, facts: Facts) => boolean {
  return (value, facts) => value !== undefined && value === facts.of(role)[fact]
}

export function atLeast(least: number): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && value >= least
}

export const present = (value: unknown): boolean => value !== undefined && value !== '' && value !== null
export const absent = (value: unknown): boolean => value === undefined
