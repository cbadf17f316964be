/** Keys of HTTP clients, spelled as in the Collector's confighttp and configtls. */
import { z } from 'zod'
import { duration, secret } from '../config/values.ts'

const TLS_VERSION = z.enum(['1.2', '1.3'])

export const tlsSettings = z
  .strictObject({
    insecure_skip_verify: z.boolean().default(false).describe('Accept any certificate. For tests only.'),
    ca_file: z.string().optional().describe('PEM file of the authorities that are trusted instead of the system ones.'),
    ca_pem: z.string().optional().describe('The same as text.'),
    cert_file: z.string().optional().describe('PEM file of the client certificate (mTLS).'),
    cert_pem: z.string().optional().describe('The same as text.'),
    key_file: z.string().optional().describe("PEM file of the client certificate's key."),
    key_pem: secret().optional().describe('The same as text.'),
    server_name_override: z.string().optional().describe('Name to expect in the certificate instead of the host name.'),
    min_version: TLS_VERSION.default('1.2').describe('Oldest version of TLS to accept.'),
    max_version: TLS_VERSION.optional().describe('Newest version of TLS to offer.'),
    reload_interval: duration()
      .prefault('10s')
      .describe('How often the files are looked at; new ones are used for new connections. 0 reads them once.'),
  })
  .refine((tls) => (tls.cert_file ?? tls.cert_pem) === undefined || (tls.key_file ?? tls.key_pem) !== undefined, {
    message: 'a client certificate needs its key: set key_file or key_pem',
  })
  .refine((tls) => (tls.key_file ?? tls.key_pem) === undefined || (tls.cert_file ?? tls.cert_pem) !== undefined, {
    message: 'a key needs its client certificate: set cert_file or cert_pem',
  })

export type TlsSettings = z.output<typeof tlsSettings>

const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** True for what a header can hold (RFC 9110, 5.5). */
export function isHeaderValue(text: string): boolean {
  return HEADER_VALUE.test(text)
}

/** Text of a header, checked here so that no request fails because of it. */
export function headerValue() {
  return secret().regex(
    HEADER_VALUE,
    'a header cannot hold this value: it has a line break or another control character',
  )
}

/** The name of a header (RFC 9110, 5.1). */
export function headerName() {
  return z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header')
}

/** Headers of every request. */
export function httpHeaders() {
  return z.record(headerName(), headerValue())
}

const basic = z
  .strictObject({
    username: z
      .string()
      .regex(/^[^:\p{Cc}]*$/u, 'a user name cannot hold a colon or a control character')
      .describe('Name of the user.'),
    password: secret().optional().describe('Password of the user.'),
    password_file: z.string().optional().describe('File that holds the password; read again when it changes.'),
  })
  .refine(({ password, password_file }) => (password === undefined) !== (password_file === undefined), {
    message: 'expected either password or password_file',
  })

/** How a client says who it is: exactly one way. */
export const authSettings = z
  .strictObject({
    bearer_token: headerValue().min(1).optional().describe('Sent as `Authorization: Bearer …`.'),
    bearer_token_file: z
      .string()
      .optional()
      .describe(
        'File that holds the bearer token, such as a mounted service account token; read again when it changes.',
      ),
    basic: basic.optional().describe('Sent as `Authorization: Basic …`.'),
    api_key: headerValue()
      .min(1)
      .optional()
      .describe('Sent as `Authorization: ApiKey …`, as Elasticsearch expects it.'),
    api_key_file: z.string().optional().describe('File that holds the API key; read again when it changes.'),
  })
  .refine((auth) => Object.values(auth).filter((way) => way !== undefined).length === 1, {
    message: 'expected exactly one of bearer_token, bearer_token_file, basic, api_key and api_key_file',
  })

export type AuthSettings = z.output<typeof authSettings>

/** `http://` or `https://` with a host. */
export function httpUrl() {
  return z.string().superRefine((text, context) => {
    if (isHttpUrl(text)) return
    context.addIssue({ code: 'custom', message: 'expected a URL such as https://host:4318' })
  })
}

/** The URL of a proxy: a secret, because it may hold a password. */
export function proxyUrl() {
  return secret().superRefine((text, context) => {
    if (isHttpUrl(text)) return
    context.addIssue({ code: 'custom', message: 'expected the URL of an HTTP proxy such as http://proxy:3128' })
  })
}

/** A URL that nobody else may know, such as that of a chat's webhook. */
export function secretUrl() {
  return secret().superRefine((text, context) => {
    if (isHttpUrl(text)) return
    context.addIssue({ code: 'custom', message: 'expected a URL such as https://hooks.example.com/services/x' })
  })
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
}

/** Keys of the Collector's HTTP clients that have no meaning here, for `unsupported`. */
export const UNSUPPORTED_CLIENT_KEYS: Readonly<Record<string, string>> = {
  'auth.authenticator':
    'authenticator extensions are not available; write the credentials here: bearer_token_file, basic or api_key',
  middlewares: 'middlewares are not available; leave it out',
  cookies: 'cookies are not kept; leave it out',
  disable_keep_alives: 'connections are always kept; leave it out',
  force_attempt_http2: 'requests are HTTP/1.1; leave it out',
  http2_ping_timeout: 'requests are HTTP/1.1; leave it out',
  http2_read_idle_timeout: 'requests are HTTP/1.1; leave it out',
  idle_conn_timeout: 'connections are closed after 50 s without a request; leave it out',
  max_conns_per_host: 'there are as many connections as sending_queue::num_consumers; set that instead',
  max_idle_conns: 'there are as many connections as sending_queue::num_consumers; set that instead',
  max_idle_conns_per_host: 'there are as many connections as sending_queue::num_consumers; set that instead',
  read_buffer_size: 'buffers have the size that a request needs; leave it out',
  write_buffer_size: 'buffers have the size that a request needs; leave it out',
  'tls.insecure': 'write the endpoint as http:// instead',
  'tls.cipher_suites': "the runtime's own list is used; choose min_version instead",
  'tls.curve_preferences': "the runtime's own list is used",
  'tls.include_system_ca_certs_pool': 'put every authority that you trust into ca_file',
  'tls.include_insecure_cipher_suites': "the runtime's own list is used",
  'tls.tpm': 'keys in a TPM are not available; use key_file',
}
