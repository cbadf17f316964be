/**
 * How a condition on a record is written. One node looks at one thing (`event_name`, `severity`, `attribute`,
 * `resource`, `body`, `older_than`) or combines other conditions (`all`, `any`, `not`).
 */
import { z } from 'zod'
import { duration, regex } from '../config/values.ts'
import { SEVERITY } from '../records/severity.ts'

/** The name of an attribute. What every JavaScript object has by itself is none. */
export const attributeName = z
  .string()
  .min(1)
  .refine((name) => !(name in Object.prototype), { message: 'is no name that an attribute can have' })

const scalar = z.union([z.string(), z.number(), z.boolean()])

/** What can be asked of a value; of several questions in one node all must hold. */
const tests = {
  equals: scalar.optional().describe('The value is exactly this.'),
  in: z.array(scalar).min(1).optional().describe('The value is one of these.'),
  prefix: z.string().min(1).optional().describe('The text begins so.'),
  suffix: z.string().min(1).optional().describe('The text ends so.'),
  contains: z.string().min(1).optional().describe('The text has this in it; a list holds this item.'),
  matches: regex()
    .optional()
    .describe('The first 65,536 characters of the text match this regular expression anywhere.'),
  gt: z.number().optional().describe('The number is greater.'),
  gte: z.number().optional().describe('The number is greater or equal.'),
  lt: z.number().optional().describe('The number is less.'),
  lte: z.number().optional().describe('The number is less or equal.'),
  exists: z.boolean().optional().describe('The value is there (true) or not (false).'),
}

const value = z.strictObject(tests).refine(asksSomething, {
  message: `expected at least one of ${Object.keys(tests).join(', ')}`,
})

function asksSomething(node: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(tests).some((key) => node[key] !== undefined)
}

/** A plain text means `equals`, a list means `in`. */
const named = z.union([z.string(), z.array(z.string()).min(1), value])

const severityNames = Object.keys(SEVERITY) as (keyof typeof SEVERITY)[]
const severityLevel = z.union([z.enum(severityNames), z.int().min(1).max(24)])

const severity = z.union([
  severityLevel,
  z
    .strictObject({
      min: severityLevel.optional().describe('At least this severe.'),
      max: severityLevel.optional().describe('At most this severe.'),
    })
    .refine(({ min, max }) => min !== undefined || max !== undefined, { message: 'expected min, max or both' }),
])

const attribute = z
  .strictObject({ attribute: attributeName.describe('Name of an attribute of the record.'), ...tests })
  .refine(asksSomething, { message: `expected at least one of ${Object.keys(tests).join(', ')} beside attribute` })

const resource = z
  .strictObject({ resource: attributeName.describe('Name of an attribute of the resource.'), ...tests })
  .refine(asksSomething, { message: `expected at least one of ${Object.keys(tests).join(', ')} beside resource` })

export type Condition =
  | z.output<typeof attribute>
  | z.output<typeof resource>
  | { readonly event_name: z.output<typeof named> }
  | { readonly severity: z.output<typeof severity> }
  | { readonly body: z.output<typeof named> }
  | { readonly older_than: number }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }

export type ValueTests = z.output<typeof value>
export type Named = z.output<typeof named>
export type SeverityRange = z.output<typeof severity>

export const condition: z.ZodType<Condition> = z
  .lazy(() =>
    z.union([
      attribute,
      resource,
      z.strictObject({ event_name: named.describe('What happened, e.g. `k8s.audit`.') }),
      z.strictObject({ severity: severity.describe('A level (`warn`) or a range (`{min: warn}`).') }),
      z.strictObject({ body: named.describe('The line of the record.') }),
      z.strictObject({
        older_than: duration().describe('It happened longer ago than this, seen from the moment of the question.'),
      }),
      z.strictObject({ all: z.array(condition).min(1).describe('Every one of these holds.') }),
      z.strictObject({ any: z.array(condition).min(1).describe('At least one of these holds.') }),
      z.strictObject({ not: condition.describe('This does not hold.') }),
    ]),
  )
  .meta({ id: 'condition' }) as z.ZodType<Condition>
