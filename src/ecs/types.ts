/** The types of fields that documents in ECS are made of, and how a table names them. */

/**
 * What Elasticsearch or OpenSearch does with a field:
 * - `keyword`: exact text, at most `KEYWORD_LIMIT` characters of it searchable;
 * - `long_keyword`: the same for command lines and URLs;
 * - `text`: full text; `stored`: kept and returned, not searched;
 * - `flat`: a map with keys of any name, its values searchable as keywords;
 * - `opaque`: a map of anything, kept and returned, not searched.
 */
export type FieldType =
  | 'keyword'
  | 'long_keyword'
  | 'text'
  | 'stored'
  | 'long'
  | 'double'
  | 'boolean'
  | 'date'
  | 'ip'
  | 'flat'
  | 'opaque'
  | 'constant'

export interface Target {
  /** Dotted name of the field. */
  readonly field: string
  readonly type: FieldType
}

/**
 * The fields of an attribute. The first is its own, and no other attribute's; the others are filled where the value
 * fits and nothing else has filled them.
 */
export type Targets = Target | readonly Target[]

const target =
  (type: FieldType) =>
  (field: string): Target => ({ field, type })

export const keyword = target('keyword')
export const longKeyword = target('long_keyword')
export const text = target('text')
export const stored = target('stored')
export const long = target('long')
export const double = target('double')
export const boolean = target('boolean')
export const date = target('date')
export const ip = target('ip')
export const flat = target('flat')
export const opaque = target('opaque')
export const constant = target('constant')

/** What the destination makes searchable; longer values are kept and returned all the same. */
export const KEYWORD_LIMIT = 1024
export const LONG_KEYWORD_LIMIT = 8191

/** `[a]` of `a`. */
export function targetsOf(targets: Targets): readonly Target[] {
  return Array.isArray(targets) ? targets : [targets as Target]
}
