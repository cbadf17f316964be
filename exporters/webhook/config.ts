import { z } from 'zod'
import { secret } from '../../src/config/values.ts'
import { deliverySettings } from '../../src/exporting/settings.ts'
import { headerName, secretUrl } from '../../src/net/client-settings.ts'
import { httpClientSettings } from '../../src/net/http-client.ts'
import { faultsOf, type Template } from './template.ts'

const { headers, ...client } = httpClientSettings()

const signature = z
  .strictObject({
    secret: secret().min(1).optional().describe('Secret that the receiver knows as well.'),
    secret_file: z.string().optional().describe('File that holds the secret; read again when it changes.'),
    algorithm: z.literal('sha256').default('sha256').describe('HMAC with SHA-256.'),
    header: headerName().default('X-Weir-Signature').describe('Header of the signature.'),
    timestamp_header: headerName()
      .default('X-Weir-Timestamp')
      .describe('Header of the time, in seconds since 1970, that is signed with the body.'),
  })
  .refine((given) => (given.secret === undefined) !== (given.secret_file === undefined), {
    message: 'expected either secret or secret_file',
  })

/** Whatever YAML can say; what placeholders say is checked. */
const template = z
  .unknown()
  .superRefine((value, context) => {
    for (const { path, message } of faultsOf(value as Template)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })
  .transform((value) => value as Template | undefined)

export const config = z
  .strictObject({
    url: secretUrl().describe('Where to send. A secret, because many such URLs are all that is needed to post.'),
    method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').describe('Method of the request.'),
    headers: headers.describe('Headers of every request; a `Content-Type` here replaces `application/json`.'),
    template: template
      .optional()
      .describe(
        'What to send for a record: a structure whose texts may hold placeholders. By default the whole record.',
      ),
    secrets: z
      .record(z.string().min(1), secret())
      .default({})
      .describe('Values that the template names as `secret["name"]`, and that nothing shows.'),
    batch: z
      .enum(['one', 'array'])
      .default('one')
      .describe('`one`: a request for each record; `array`: one request with a JSON array for a batch.'),
    only_findings: z
      .boolean()
      .default(true)
      .describe('Send findings (`security.detection`, `security.anomaly`) alone; everything else counts as filtered.'),
    signature: signature.optional().describe('Sign requests, so that the receiver knows who sent them, and when.'),
    idempotency_header: headerName()
      .default('Idempotency-Key')
      .describe('Header with the id of the record (`log.record.uid`), the same each time it is sent.'),
    ...client,
    ...deliverySettings({ timeout: '30s' }),
  })
  // One call may make many requests: each has its own limit.
  .transform(({ timeout, ...rest }) => ({ ...rest, request_timeout: timeout, timeout: 0 }))

export type Config = z.output<typeof config>
