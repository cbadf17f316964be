/**
 * What every component that sends over HTTP shares: its keys, and one client made of them. Connections are kept,
 * proxies and TLS follow the settings, and credentials and certificates are read again when their files change.
 */
import { z } from 'zod'
import { HoldError } from '../exporting/errors.ts'
import { type Logger, SILENT } from '../telemetry/logger.ts'
import { createAgents } from './agents.ts'
import { authSettings, httpHeaders, proxyUrl, tlsSettings } from './client-settings.ts'
import { type Identity, identityOf, watchIdentity } from './credentials.ts'
import { type HttpRequest, type PostResponse, sendOnce } from './http-post.ts'
import { type ProxyEnvironment, proxyChooser } from './proxy.ts'
import { holdOnBadCertificate, readTls, tlsFiles } from './tls.ts'
import { watchFiles } from './watched-files.ts'

/** Spread into an exporter's `z.strictObject`. */
export function httpClientSettings() {
  return {
    headers: httpHeaders().default({}).describe('Headers of every request, e.g. `X-Scope-OrgID` or `Authorization`.'),
    auth: authSettings.optional().describe('How the destination knows who is sending; sets `Authorization`.'),
    tls: tlsSettings.prefault({}).describe('Certificates for `https://`.'),
    proxy_url: proxyUrl()
      .optional()
      .describe('Proxy of every request, instead of what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say.'),
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
  /** The same with any method. */
  send(request: HttpRequest, signal: AbortSignal): Promise<PostResponse>
  close(): void
}

export interface HttpClientOptions {
  /** Connections to one host; requests above them wait. */
  readonly maxSockets: number
  /** Bound of an answer: `PostResponse.body` is never longer. */
  readonly maxResponseBytes?: number
  /** Hears of files that cannot be read any more. */
  readonly log?: Logger
  /** Who is sending, where a destination has a scheme of its own: takes the place of `auth`. */
  readonly identity?: Identity
  readonly env?: ProxyEnvironment
}

const MAX_RESPONSE_BYTES = 64 * 1024

/** Reads certificates and credentials. Throws one sentence that names the key and the file. */
export function createHttpClient(
  { headers: always, auth, tls, proxy_url }: HttpClientSettings,
  { maxSockets, maxResponseBytes = MAX_RESPONSE_BYTES, log = SILENT, env = process.env, ...more }: HttpClientOptions,
): HttpClient {
  const who = more.identity ?? (auth && identityOf(auth))
  if (who !== undefined && Object.keys(always).some((name) => name.toLowerCase() === 'authorization')) {
    throw new Error('Authorization is set in headers and by the credentials: leave one of them out')
  }
  const certificates = watchFiles({
    paths: tlsFiles(tls),
    load: () => readTls(tls),
    intervalMs: tls.reload_interval,
    onError: (error) => log.warn('The certificate files cannot be used; the old certificates stay in use.', { error }),
  })
  const identity =
    who &&
    watchIdentity(who, (error) =>
      log.warn('The file with the credentials cannot be used; the old credentials stay in use.', { error }),
    )
  const agents = createAgents(maxSockets, proxyChooser(proxy_url, env), certificates.value)

  const attempt = async (request: HttpRequest, signal: AbortSignal): Promise<PostResponse> => {
    if (await certificates.refresh()) agents.renew(certificates.value)
    const headers = {
      'user-agent': 'Weir',
      ...always,
      ...(identity && { authorization: identity.value }),
      ...request.headers,
    }
    try {
      return await sendOnce(agents, { ...request, headers }, maxResponseBytes, signal)
    } catch (error) {
      throw holdOnBadProxy(holdOnBadCertificate(error as Error))
    }
  }
  const send: HttpClient['send'] = async (request, signal) => {
    await identity?.refresh()
    const response = await attempt(request, signal)
    // A secret that was exchanged meanwhile: nothing was taken, so the same request may go with the new one.
    const isRefused = response.status === 401 || response.status === 403
    return isRefused && (await identity?.refresh(true)) ? attempt(request, signal) : response
  }
  return {
    send,
    post: (url, headers, body, signal) => send({ method: 'POST', url, headers, body }, signal),
    close: () => agents.close(),
  }
}

/** A proxy that refuses its user or the destination does so until somebody acts. */
function holdOnBadProxy(error: Error & { code?: string; statusCode?: number }): Error {
  const { code, statusCode = 0 } = error
  if (code !== 'ERR_PROXY_TUNNEL' || statusCode < 400 || statusCode >= 500) return error
  return new HoldError(`the proxy refused the connection: ${error.message}`, { cause: error })
}
