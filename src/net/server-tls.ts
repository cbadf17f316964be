/** Certificates of a server: read, checked before they are used, and exchanged when their files change. */
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import type { ServerTlsSettings } from './server-settings.ts'
import { readSmallFile, type WatchedFiles, watchFiles } from './watched-files.ts'

export interface ServerTls extends SecureContextOptions {
  /** True where clients must show a certificate. */
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly minVersion: SecureVersion
}

/** Throws one sentence that names the key and the file when the certificates cannot be used now. */
export function serverTls(settings: ServerTlsSettings, onError: (error: Error) => void): WatchedFiles<ServerTls> {
  const { cert_file, key_file, client_ca_file, reload_interval } = settings
  const paths = [cert_file, key_file, client_ca_file].filter((path) => path !== undefined)
  return watchFiles({ paths, load: () => read(settings), intervalMs: reload_interval, onError })
}

function read(settings: ServerTlsSettings): ServerTls {
  const { min_version, max_version } = settings
  const cert = settings.cert_pem ?? readPem('cert_file', settings.cert_file)
  const key = settings.key_pem ?? readPem('key_file', settings.key_file)
  const ca = settings.client_ca_pem ?? readPem('client_ca_file', settings.client_ca_file)
  const pems = { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) }
  try {
    createSecureContext(pems)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? 'the key does not belong to the certificate' : message
    throw new Error(`tls: the certificates cannot be used: ${why}`, { cause: error })
  }
  // An empty list of authorities would let every client in.
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error('tls::client_ca_file: holds no certificate (-----BEGIN CERTIFICATE-----)')
  }
  return {
    ...pems,
    requestCert: ca !== undefined,
    rejectUnauthorized: ca !== undefined,
    minVersion: `TLSv${min_version}`,
    ...(max_version === undefined ? {} : { maxVersion: `TLSv${max_version}` as const }),
  }
}

function readPem(key: string, path: string | undefined): string | undefined {
  return path === undefined ? undefined : readSmallFile(`tls::${key}`, path)
}
