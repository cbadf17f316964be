/** The `Authorization` header of a client, kept up to date with the file that its secret stands in. */
import { type AuthSettings, isHeaderValue } from './client-settings.ts'
import { readSmallFile, type WatchedFiles, watchFiles } from './watched-files.ts'

/** Changes of a file are seen after this long, or at once when a destination refuses what it held. */
const LOOK_MS = 5000

/** What follows `Authorization:`, and the file that it must be read from again. */
export interface Identity {
  readonly path?: string | undefined
  /** Throws one sentence when the file cannot be used. */
  readonly load: () => string
}

/** Reads the header. Throws as `load` does. */
export function watchIdentity({ path, load }: Identity, onError: (error: Error) => void): WatchedFiles<string> {
  return watchFiles({ paths: path === undefined ? [] : [path], load, intervalMs: LOOK_MS, onError })
}

/** The header that the settings ask for. */
export function credentials(auth: AuthSettings, onError: (error: Error) => void): WatchedFiles<string> {
  return watchIdentity(identityOf(auth), onError)
}

export function identityOf({ bearer_token, bearer_token_file, basic, api_key, api_key_file }: AuthSettings): Identity {
  if (basic !== undefined) {
    const { username, password = '', password_file } = basic
    const encode = (text: string): string => `Basic ${Buffer.from(`${username}:${text}`).toString('base64')}`
    if (password_file === undefined) return { load: () => encode(password) }
    return { path: password_file, load: () => encode(readSecret('auth::basic::password_file', password_file)) }
  }
  if (bearer_token_file !== undefined) {
    return {
      path: bearer_token_file,
      load: () => `Bearer ${readSecret('auth::bearer_token_file', bearer_token_file)}`,
    }
  }
  if (api_key_file !== undefined) {
    return { path: api_key_file, load: () => `ApiKey ${readSecret('auth::api_key_file', api_key_file)}` }
  }
  return { load: () => (bearer_token === undefined ? `ApiKey ${api_key}` : `Bearer ${bearer_token}`) }
}

/** The secret that a file holds, without the line break at its end. Never part of an error. */
export function readSecret(key: string, path: string): string {
  const text = readSmallFile(key, path).replace(/[\r\n]+$/, '')
  if (text === '') throw new Error(`${key}: ${path} is empty`)
  if (!isHeaderValue(text)) throw new Error(`${key}: ${path} holds a line break or another control character`)
  return text
}
