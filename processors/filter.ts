/**
 * Drops records by what they are. Dropping on purpose is delivery: it is counted as `filtered`, apart
 * from losses, and the source is told that all is well.
 */
import { z } from 'zod'
import { defineProcessor } from '../src/component.ts'
import { compileAny } from '../src/conditions/compile.ts'
import { condition } from '../src/conditions/schema.ts'
import { mapRecords } from '../src/flow/operators.ts'

const OTTL = 'conditions in OTTL are not available; write them as `drop:` or `keep:` conditions'

const config = z
  .strictObject({
    drop: z.array(condition).default([]).describe('A record for which any of these holds is dropped.'),
    keep: z.array(condition).default([]).describe('When given, a record for which none of these holds is dropped.'),
  })
  .refine(({ drop, keep }) => drop.length + keep.length > 0, { message: 'expected conditions in drop, keep or both' })

export const filter = defineProcessor({
  type: 'filter',
  stability: 'beta',
  summary: 'Drops records by severity, event name, attributes or text.',
  config,
  unsupported: {
    error_mode: 'a condition cannot fail here: a value of another kind simply does not match; leave it out',
    logs: OTTL,
    log_conditions: OTTL,
    traces: 'Weir carries logs only',
    metrics: 'Weir carries logs only',
    spans: 'Weir carries logs only',
    profiles: 'Weir carries logs only',
  },
  examples: [
    { drop: [{ severity: { max: 'debug' } }, { attribute: 'user.name', prefix: 'system:node:' }] },
    { keep: [{ event_name: ['security.detection', 'security.anomaly'] }] },
    {
      drop: [
        {
          all: [
            { event_name: 'k8s.audit' },
            { attribute: 'k8s.audit.response.code', gte: 200, lt: 300 },
            { not: { attribute: 'k8s.audit.verb', in: ['create', 'update', 'patch', 'delete'] } },
          ],
        },
      ],
    },
  ],
  create({ drop, keep }, context) {
    const isDropped = compileAny(drop)
    const isKept = keep.length === 0 ? () => true : compileAny(keep)
    return {
      operator: () => mapRecords(context, (record) => (isDropped(record) || !isKept(record) ? undefined : record)),
    }
  },
})
