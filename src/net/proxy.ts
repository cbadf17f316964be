/**
 * Which proxy a request goes through: `proxy_url`, or what the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY say,
 * read as Go programs read them, the Collector among them: NO_PROXY may hold names, suffixes, addresses and CIDRs,
 * and the machine itself is never reached through a proxy.
 */
import { BlockList, isIP } from 'node:net'

export type ProxyFor = (url: URL) => string | undefined

export interface ProxyEnvironment {
  readonly [name: string]: string | undefined
}

/** Throws one sentence, without the URL, which may hold a password. */
export function proxyChooser(proxyUrl: string | undefined, env: ProxyEnvironment): ProxyFor {
  if (proxyUrl !== undefined) return () => proxyUrl
  const read = (name: string): string => env[name.toLowerCase()] || env[name] || ''
  const forHttp = checked('HTTP_PROXY', read('HTTP_PROXY'))
  const forHttps = checked('HTTPS_PROXY', read('HTTPS_PROXY'))
  if (forHttp === undefined && forHttps === undefined) return () => undefined
  const isDirect = exceptions(read('NO_PROXY'))
  return (url) => {
    const proxy = url.protocol === 'https:' ? forHttps : forHttp
    return proxy === undefined || isDirect(url) ? undefined : proxy
  }
}

function checked(name: string, text: string): string | undefined {
  if (text === '') return undefined
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const parsed = URL.parse(url)
  if (parsed !== null && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return url
  throw new Error(
    `the variable ${name} is not the URL of an HTTP proxy such as http://proxy:3128; set proxy_url instead`,
  )
}

type Rule = (host: string, port: string) => boolean

function exceptions(text: string): (url: URL) => boolean {
  const entries = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => entry.toLowerCase())
  if (entries.includes('*')) return () => true
  const rules = entries.map(ruleOf)
  return (url) => {
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return isThisMachine(host) || rules.some((holds) => holds(host, port))
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function ruleOf(entry: string): Rule {
  const [, address = '', bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? []
  if (bits !== undefined) return networkRule(address, Number(bits))
  const [, name = '', port] = isIP(entry) > 0 ? ['', entry] : (/^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry) ?? [])
  const holds = isIP(name) > 0 ? networkRule(name, isIP(name) === 4 ? 32 : 128) : domainRule(name)
  return port === undefined ? holds : (host, actual) => actual === port && holds(host, actual)
}

function networkRule(address: string, bits: number): Rule {
  const list = new BlockList()
  try {
    list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  } catch {
    return () => false // Not an address after all: it matches nothing, as with other programs.
  }
  return (host) => isIP(host) > 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

/** `example.com` means itself and its subdomains; `.example.com` and `*.example.com` the subdomains alone. */
function domainRule(name: string): Rule {
  const bare = name.replace(/^\*?\./, '')
  const isExact = bare === name
  return (host) => isIP(host) === 0 && ((isExact && host === bare) || host.endsWith(`.${bare}`))
}
