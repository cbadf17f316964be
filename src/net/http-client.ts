/**
 * What every component that sends over HTTP shares: its keys, and one client made of them. Connections are kept,
 * proxies and TLS follow the settings, and credentials and certificates are read again when their files change.
 */
import { z } from 'zod'
import { httpHeaders, readTls, tlsSettings } from './client-settings.ts'
import { httpPoster, type PostResponse } from './http-post.ts'

/** Spread into an exporter's `z.strictObject`. */
export function httpClientSettings() {
  return {
    headers: httpHeaders().default({}).describe('Headers of every request, e.g. `X-Scope-OrgID` or `Authorization`.'),
    tls: tlsSettings.prefault({}).describe('Certificates for `https://`.'),
  }
}

const settings = z.object(httpClientSettings())
export type HttpClientSettings = z.output<typeof settings>

export interface HttpClient {
  /**
   * One POST, with the configured headers and credentials below `headers`. Rejects on socket errors and when
   * `signal` aborts; a refused certificate is a `HoldError`. Any status resolves.
   */
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<PostResponse>
  close(): void
}

/** Reads certificates and credentials. Throws one sentence that names the key and the file. */
export function createHttpClient(
  { headers: always, tls }: HttpClientSettings,
  options: { readonly maxSockets: number },
): HttpClient {
  const poster = httpPoster({ maxSockets: options.maxSockets, tls: readTls(tls) })
  return {
    post: (url, headers, body, signal) => poster.post(url, { ...always, ...headers }, body, signal),
    close: () => poster.close(),
  }
}
