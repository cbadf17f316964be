/** How a table of attributes says what they are. */

export interface Spec {
  readonly type: 'string' | 'string[]' | 'int' | 'boolean'
  readonly unit?: string
  readonly meaning: string
}

/** Attributes that come together. */
export interface Group {
  readonly title: string
  /** Which records have them, for people. */
  readonly events: string
  readonly attributes: Readonly<Record<string, Spec>>
}

export const text = (meaning: string): Spec => ({ type: 'string', meaning })
export const texts = (meaning: string): Spec => ({ type: 'string[]', meaning })
export const flag = (meaning: string): Spec => ({ type: 'boolean', meaning })
export const int = (meaning: string, unit?: string): Spec => ({
  type: 'int',
  ...(unit !== undefined && { unit }),
  meaning,
})
