import { z } from 'zod'
import { duration } from '../../src/config/values.ts'
import { deliverySettings } from '../../src/exporting/settings.ts'
import { authSettings, httpHeaders, tlsSettings } from '../../src/net/client-settings.ts'

const ENDPOINT = /^(?:https?:\/\/|dns:\/\/\/)?(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::\d{1,5})?\/?$/i

const keepalive = z.strictObject({
  time: duration().prefault('30s').describe('Ask a quiet destination after this long whether it is still there.'),
  timeout: duration().prefault('10s').describe('Time for its answer; then the connection is made anew.'),
  permit_without_stream: z.boolean().default(false).describe('Ask also while there is no request.'),
})

export const config = z.strictObject({
  endpoint: z
    .string()
    .regex(ENDPOINT, 'expected host:port or a URL, such as gateway.example.com:4317 or http://localhost:4317')
    .describe('Where to send: `host:port`, or a URL; `http://` stands for `tls::insecure: true`.'),
  tls: tlsSettings
    .safeExtend({
      insecure: z.boolean().default(false).describe('Connect without TLS.'),
    })
    .prefault({})
    .describe('Certificates. Connections are encrypted unless `insecure` says otherwise.'),
  auth: authSettings.optional().describe('How the destination knows who is sending; sets `authorization`.'),
  headers: httpHeaders().default({}).describe('Metadata of every request.'),
  compression: z.enum(['gzip', 'none']).default('gzip').describe('Compression of the request.'),
  balancer_name: z
    .enum(['round_robin', 'pick_first'])
    .default('round_robin')
    .describe('How requests are spread over the addresses of a host name.'),
  authority: z.string().optional().describe('Name that the destination is addressed by, instead of its host.'),
  keepalive: keepalive.optional().describe('Finds connections that are dead; without it only a request does.'),
  ...deliverySettings({ timeout: '5s' }),
})

export type Config = z.output<typeof config>

export interface Target {
  /** As gRPC names it: `dns:host:port`. */
  readonly target: string
  readonly isSecure: boolean
}

export function targetOf({ endpoint, tls }: Config): Target {
  const [, scheme = '', rest = ''] = /^(https?:\/\/|dns:\/\/\/)?(.*?)\/?$/i.exec(endpoint) ?? []
  const isPlain = scheme.toLowerCase() === 'http://'
  const isSecure = scheme.toLowerCase() === 'https://' || !(isPlain || tls.insecure)
  const hasPort = /:\d+$/.test(rest)
  return { target: `dns:${hasPort ? rest : `${rest}:${isPlain ? 80 : 443}`}`, isSecure }
}
