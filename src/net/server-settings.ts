/** Keys of servers, spelled as in the Collector's confighttp, configgrpc and configtls. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { duration, secret } from '../config/values.ts'

const TLS_VERSION = z.enum(['1.2', '1.3'])

export const serverTlsSettings = z
  .strictObject({
    cert_file: z.string().optional().describe('PEM file of the certificate of this server, with its chain.'),
    cert_pem: z.string().optional().describe('The same as text.'),
    key_file: z.string().optional().describe("PEM file of the certificate's key."),
    key_pem: secret().optional().describe('The same as text.'),
    client_ca_file: z
      .string()
      .optional()
      .describe('PEM file of the authorities whose clients may connect (mTLS). Without it any client may.'),
    client_ca_pem: z.string().optional().describe('The same as text.'),
    min_version: TLS_VERSION.default('1.2').describe('Oldest version of TLS to accept.'),
    max_version: TLS_VERSION.optional().describe('Newest version of TLS to accept.'),
    reload_interval: duration()
      .prefault('10s')
      .describe('How often the files are looked at; new ones are used for new connections. 0 reads them once.'),
  })
  .refine((tls) => (tls.cert_file ?? tls.cert_pem) !== undefined && (tls.key_file ?? tls.key_pem) !== undefined, {
    message: 'a server needs a certificate and its key: set cert_file and key_file',
  })

export type ServerTlsSettings = z.output<typeof serverTlsSettings>

const basic = z
  .strictObject({
    username: z
      .string()
      .regex(/^[^:]+$/, 'a user name cannot hold a colon')
      .describe('Name that clients must give.'),
    password: secret().min(1).optional().describe('Password that clients must give.'),
    password_file: z.string().optional().describe('File that holds the password; read again when it changes.'),
  })
  .refine(({ password, password_file }) => (password === undefined) !== (password_file === undefined), {
    message: 'expected either password or password_file',
  })

/** How clients must say who they are: one way, or none. */
export const serverAuthSettings = z
  .strictObject({
    bearer_token: secret().min(1).optional().describe('Token that clients must send as `Authorization: Bearer …`.'),
    bearer_token_file: z.string().optional().describe('File that holds the token; read again when it changes.'),
    basic: basic.optional().describe('Clients must send `Authorization: Basic …`.'),
  })
  .refine((auth) => Object.values(auth).filter((way) => way !== undefined).length === 1, {
    message: 'expected exactly one of bearer_token, bearer_token_file and basic',
  })

export type ServerAuthSettings = z.output<typeof serverAuthSettings>

const ENDPOINT = /^(\[[0-9a-f:.]+\]|[^:\s/]*):(\d{1,5})$/i

/** `host:port` to listen on; a host that is left out means every address. */
export function listenEndpoint(defaultEndpoint: string) {
  return z
    .string()
    .refine((text) => Number(ENDPOINT.exec(text)?.[2] ?? Number.NaN) <= 65_535, {
      message: `expected host:port, such as ${defaultEndpoint}`,
    })
    .default(defaultEndpoint)
    .describe('Where to listen, `host:port`. `0.0.0.0:port` takes connections from everywhere.')
}

/** Spread into the `z.strictObject` of whatever listens. */
export function serverSettings() {
  return {
    tls: serverTlsSettings.optional().describe('Certificates; without them connections are not encrypted.'),
    auth: serverAuthSettings.optional().describe('What clients must show; without it anyone may send.'),
    max_connections: z.int().min(1).default(1000).describe('Most connections at once; those beyond are closed.'),
  }
}

/** Keys of the Collector's servers that have no meaning here, for `unsupported`, below `prefix`. */
export function unsupportedServerKeys(prefix: string): Record<string, string> {
  const keys = {
    'auth.authenticator':
      'authenticator extensions are not available; write the credentials here: bearer_token_file or basic',
    'tls.client_ca_file_reload': 'the file is always read again when it changes; leave it out',
    'tls.cipher_suites': "the runtime's own list is used; choose min_version instead",
    'tls.curve_preferences': "the runtime's own list is used; leave it out",
    'tls.include_system_ca_certs_pool': 'put every authority that you trust into client_ca_file',
    'tls.ca_file': 'a server checks its clients by client_ca_file',
    'tls.tpm': 'keys in a TPM are not available; use key_file',
    middlewares: 'middlewares are not available; leave it out',
    include_metadata: 'headers of requests are not kept; leave it out',
  }
  return Object.fromEntries(Object.entries(keys).map(([key, sentence]) => [`${prefix}${key}`, sentence]))
}

export interface Endpoint {
  /** Undefined for every address. */
  readonly host: string | undefined
  readonly port: number
}

export function parseEndpoint(text: string): Endpoint {
  const [, host = '', port = ''] = ENDPOINT.exec(text) ?? []
  return { host: host.replace(/^\[|\]$/g, '') || undefined, port: Number(port) }
}

/** True for an address that only this machine can reach. */
export function isLoopback({ host }: Endpoint): boolean {
  if (host === undefined) return false
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === 'localhost' || host === '::1'
}
