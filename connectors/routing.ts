/** Sends each record to the pipelines that its conditions name: all to Loki, findings to the SIEM as well. */
import { z } from 'zod'
import { defineConnector } from '../src/component.ts'
import { compileCondition } from '../src/conditions/compile.ts'
import { condition } from '../src/conditions/schema.ts'
import type { LogRecord } from '../src/records/record.ts'

const OTTL = 'statements in OTTL are not available; write the condition under `when:`'
const pipelines = z
  .array(z.string().regex(/^logs(\/.+)?$/, 'expected the id of a pipeline, such as logs/siem'))
  .min(1)
  // A record goes to a pipeline once, however often it is named.
  .transform((ids): readonly string[] => [...new Set(ids)])

const config = z.strictObject({
  table: z
    .array(
      z.strictObject({
        when: condition.describe('What a record must be.'),
        pipelines: pipelines.describe('Where it goes then.'),
      }),
    )
    .min(1)
    .describe('Rules, from top to bottom.'),
  match_once: z
    .boolean()
    .default(true)
    .describe('Stop at the first rule that matches; false: every rule that matches.'),
  default_pipelines: pipelines
    .optional()
    .describe('Where records go that no rule matches; without it they are filtered.'),
})

export const routing = defineConnector({
  type: 'routing',
  stability: 'beta',
  summary: 'Routes records to pipelines by attribute, event name or severity.',
  config,
  unsupported: {
    error_mode: 'a condition cannot fail here: a value of another kind simply does not match; leave it out',
    'table.*.statement': OTTL,
    'table.*.condition': OTTL,
    'table.*.context': 'a condition says itself what it looks at: attribute, resource, event_name, severity or body',
    'table.*.action': 'records are copied where match_once is false; leave it out',
  },
  examples: [
    {
      table: [
        { when: { event_name: ['security.detection', 'security.anomaly'] }, pipelines: ['logs/siem', 'logs/loki'] },
      ],
      default_pipelines: ['logs/loki'],
    },
  ],
  pipelinesOf: ({ table, default_pipelines = [] }) => [
    ...table.flatMap((rule) => rule.pipelines),
    ...default_pipelines,
  ],
  create({ table, match_once, default_pipelines = [] }, context) {
    const rules = table.map((rule) => ({ holds: compileCondition(rule.when), targets: rule.pipelines }))
    const first = (record: LogRecord): readonly string[] => {
      for (const { holds, targets } of rules) if (holds(record)) return targets
      return NOWHERE
    }
    const all = (record: LogRecord): readonly string[] => {
      let found = NOWHERE
      for (const { holds, targets } of rules) {
        if (holds(record)) found = found === NOWHERE ? targets : [...new Set([...found, ...targets])]
      }
      return found
    }
    const match = match_once ? first : all
    return {
      route(record) {
        const targets = match(record)
        if (targets.length > 0) return targets
        if (default_pipelines.length === 0) context.filtered(1, 'unrouted')
        return default_pipelines
      },
    }
  },
})

const NOWHERE: readonly string[] = []
