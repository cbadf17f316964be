/** Pools of connections, one for each scheme and proxy, made anew when the certificates change. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { ProxyFor } from './proxy.ts'
import type { TlsOptions } from './tls.ts'

export interface Agents {
  /** The pool for a URL, and whether a proxy stands between. */
  for(url: URL): { readonly agent: HttpAgent; readonly isProxied: boolean }
  /** New connections use `tls`; requests that are on their way go on. */
  renew(tls: TlsOptions): void
  close(): void
}

/** Below the 60 s after which the usual load balancers drop an idle connection, taking the next request with it. */
const IDLE_MS = 50_000

export function createAgents(maxSockets: number, proxyFor: ProxyFor, tls: TlsOptions): Agents {
  const pool = { keepAlive: true, keepAliveMsecs: 30_000, maxSockets, scheduling: 'lifo' as const, timeout: IDLE_MS }
  const current = new Map<string, HttpAgent>()
  let retired: HttpAgent[] = []
  let options = tls

  const make = (isSecure: boolean, proxy: string | undefined): HttpAgent => {
    // Given even where there is no proxy: the runtime would read the environment by itself otherwise.
    const all = { ...pool, proxyEnv: proxy === undefined ? {} : { http_proxy: proxy, https_proxy: proxy } }
    return isSecure ? new HttpsAgent({ ...all, ...options }) : new HttpAgent(all)
  }
  return {
    for(url) {
      const isSecure = url.protocol === 'https:'
      const proxy = proxyFor(url)
      const key = `${isSecure} ${proxy ?? ''}`
      const agent = current.get(key) ?? make(isSecure, proxy)
      current.set(key, agent)
      return { agent, isProxied: proxy !== undefined }
    },
    renew(newer) {
      options = newer
      retired = [...retired, ...current.values()].filter(isBusy)
      for (const agent of current.values()) retire(agent)
      current.clear()
    },
    close() {
      for (const agent of [...current.values(), ...retired]) agent.destroy()
    },
  }
}

function isBusy(agent: HttpAgent): boolean {
  return Object.keys(agent.sockets).length > 0 || Object.keys(agent.requests).length > 0
}

/** Closes what is idle now and, from now on, what becomes idle. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}
