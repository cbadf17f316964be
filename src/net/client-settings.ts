/** Keys of HTTP clients, spelled as in the Collector's confighttp and configtls. */
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { z } from 'zod'
import { secret } from '../config/values.ts'

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
  })
  .refine((tls) => (tls.cert_file ?? tls.cert_pem) === undefined || (tls.key_file ?? tls.key_pem) !== undefined, {
    message: 'a client certificate needs its key: set key_file or key_pem',
  })
  .refine((tls) => (tls.key_file ?? tls.key_pem) === undefined || (tls.cert_file ?? tls.cert_pem) !== undefined, {
    message: 'a key needs its client certificate: set cert_file or cert_pem',
  })

/** Headers of every request, checked here so that none fails when it is sent (RFC 9110, 5.1 and 5.5). */
export function httpHeaders() {
  const name = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header')
  return z.record(
    name,
    secret().regex(
      /^[\t\x20-\x7e\x80-\xff]*$/,
      'a header cannot hold this value: it has a line break or another control character',
    ),
  )
}

export type TlsSettings = z.output<typeof tlsSettings>

export interface TlsOptions extends SecureContextOptions {
  readonly rejectUnauthorized: boolean
  readonly servername?: string
}

/** Reads the files. Throws one sentence that names the key and the file. */
export function readTls(settings: TlsSettings): TlsOptions {
  const { insecure_skip_verify, server_name_override, min_version, max_version } = settings
  const ca = settings.ca_pem ?? readPem('ca_file', settings.ca_file)
  const cert = settings.cert_pem ?? readPem('cert_file', settings.cert_file)
  const key = settings.key_pem ?? readPem('key_file', settings.key_file)
  checkPems({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
  return {
    rejectUnauthorized: !insecure_skip_verify,
    minVersion: `TLSv${min_version}`,
    ...(max_version === undefined ? {} : { maxVersion: `TLSv${max_version}` as const }),
    ...(server_name_override === undefined ? {} : { servername: server_name_override }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

/** Refuses at the start what would fail at every connection. */
function checkPems(pems: SecureContextOptions): void {
  try {
    createSecureContext(pems)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? 'the key does not belong to the certificate' : message
    throw new Error(`tls: the certificates cannot be used: ${why}`, { cause: error })
  }
  if (typeof pems.ca === 'string' && !pems.ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error('tls::ca_file: holds no certificate (-----BEGIN CERTIFICATE-----)')
  }
}

function readPem(key: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`tls::${key}: cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** `http://` or `https://` with a host. */
export function httpUrl() {
  return z.string().superRefine((text, context) => {
    const url = URL.parse(text)
    if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return
    context.addIssue({ code: 'custom', message: 'expected a URL such as https://host:4318' })
  })
}
