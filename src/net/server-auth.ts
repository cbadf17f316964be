/** Checks what clients say of themselves, in a time that tells nothing of the secret. */
import { hash, timingSafeEqual } from 'node:crypto'
import { readSecret } from './credentials.ts'
import type { ServerAuthSettings } from './server-settings.ts'
import { watchFiles } from './watched-files.ts'

export interface Authenticator {
  /** What a refused client is told it should have sent (RFC 9110, 11.6.1). */
  readonly challenge: string
  /** Whether the value of the `Authorization` header is the right one. */
  admits(authorization: string | undefined): Promise<boolean>
}

/** Changes of a file are seen after this long. */
const LOOK_MS = 2000

/** Throws one sentence when a file cannot be used now. */
export function authenticator(auth: ServerAuthSettings, onError: (error: Error) => void): Authenticator {
  const { bearer_token, bearer_token_file, basic } = auth
  const path = bearer_token_file ?? basic?.password_file
  const load = (): Buffer => digest(expected(bearer_token, bearer_token_file, basic))
  const files = watchFiles({ paths: path === undefined ? [] : [path], load, intervalMs: LOOK_MS, onError })
  return {
    challenge: basic === undefined ? 'Bearer realm="weir"' : 'Basic realm="weir", charset="UTF-8"',
    async admits(authorization) {
      if (path !== undefined) await files.refresh()
      // The scheme's case does not matter; digests have one length, whatever was sent.
      const [, scheme = '', rest = ''] = /^(\S{1,20}) +(\S.*)$/.exec(authorization ?? '') ?? []
      return timingSafeEqual(digest(`${scheme.toLowerCase()} ${rest}`), files.value)
    },
  }
}

function expected(
  token: string | undefined,
  tokenFile: string | undefined,
  basic: ServerAuthSettings['basic'],
): string {
  if (basic === undefined) return `bearer ${token ?? readSecret('auth::bearer_token_file', tokenFile ?? '')}`
  const { username, password, password_file = '' } = basic
  const secret = password ?? readSecret('auth::basic::password_file', password_file)
  return `basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
