/** Options that every receiver of audit events shares, whatever way the events come in. */
import { z } from 'zod'
import { LEVELS, STAGES } from './event.ts'
import { ignoreRule } from './ignore.ts'

/** The fields of a component's schema: spread them into a `z.strictObject`. */
export const auditOptions = {
  stages: z
    .array(z.enum(STAGES))
    .min(1)
    .default(['ResponseStarted', 'ResponseComplete', 'Panic'])
    .describe('Stages to keep. Without RequestReceived, since the same request is told again when it was answered.'),
  levels: z.array(z.enum(LEVELS)).min(1).optional().describe('Levels to keep; all of them when absent.'),
  default_ignores: z
    .boolean()
    .default(true)
    .describe(
      "Drop the control plane's own noise: probes, leases, events, node heartbeats, kube-proxy, the API server's loopback. Only what succeeded.",
    ),
  ignore: z
    .array(ignoreRule)
    .default([])
    .describe('Further events to drop. All conditions of one rule must hold; any rule is enough.'),
  drop_duplicate_stages: z
    .boolean()
    .default(false)
    .describe(
      'Keep one record of a long-running request: its ResponseStarted, and its ResponseComplete only when that says something else.',
    ),
  redact_secrets: z
    .boolean()
    .default(true)
    .describe(
      'Replace the contents of Secrets, tokens, and whatever looks like a bearer credential, in every attribute and in raw events.',
    ),
  include_raw: z
    .boolean()
    .default(false)
    .describe(
      'Keep the event as JSON in `log.record.original`, up to 1048576 characters: `k8s.audit.cut` names what was cut.',
    ),
  include_request_object: z
    .boolean()
    .default(false)
    .describe('Keep the request body as JSON in `k8s.audit.request_object`, up to 1048576 characters.'),
  include_response_object: z
    .boolean()
    .default(false)
    .describe('Keep the response body as JSON in `k8s.audit.response_object`, up to 1048576 characters.'),
  cluster_name: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the cluster, kept as `k8s.cluster.name` of the resource.'),
  resource: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Further attributes of the resource, the same for every record.'),
}

const schema = z.object(auditOptions)

export type AuditOptions = z.output<typeof schema>

/** The options with their defaults, for callers without a configuration file. */
export function defaultAuditOptions(options: z.input<typeof schema> = {}): AuditOptions {
  return schema.parse(options)
}
