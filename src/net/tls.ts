/** Certificates and keys of a client: read, checked before they are used, and exchanged when their files change. */
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { HoldError } from '../exporting/errors.ts'
import type { TlsSettings } from './client-settings.ts'
import { readSmallFile } from './watched-files.ts'

export interface TlsOptions extends SecureContextOptions {
  readonly rejectUnauthorized: boolean
  readonly servername?: string
}

/** The files that the settings name. */
export function tlsFiles({ ca_file, cert_file, key_file }: TlsSettings): string[] {
  return [ca_file, cert_file, key_file].filter((path) => path !== undefined)
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
  return path === undefined ? undefined : readSmallFile(`tls::${key}`, path)
}

const CERTIFICATE_ERRORS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/

/** Whether somebody must act on certificates, so that this connection can be made. */
export function holdOnBadCertificate(error: Error & { code?: string }): Error {
  if (!CERTIFICATE_ERRORS.test(error.code ?? '')) return error
  return new HoldError(`the TLS connection was refused: ${error.message}`, { cause: error })
}
