/** Joins pipelines: everything that comes out of one goes into the others. */
import { z } from 'zod'
import { defineConnector } from '../src/component.ts'

export const forward = defineConnector({
  type: 'forward',
  stability: 'beta',
  summary: 'Hands every record on to the pipelines that list it as a receiver.',
  config: z.strictObject({}),
  examples: [{}],
  create: () => ({ route: 'all' }),
})
