/** Keys of HTTP clients, spelled as in the Collector's confighttp and configtls. */
import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { z } from 'zod'
import { secret } from '../config/values.ts'

const TLS_VERSION = z.enum(['1.2', '1.3'])

export const tlsSettings = z.strictObject({
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
  if ((cert === undefined) !== (key === undefined)) throw new Error('tls: cert_file and key_file are needed together')
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
