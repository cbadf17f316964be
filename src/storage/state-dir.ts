/** Where state lives when nobody said where. */
import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'

const SYSTEM_DIR = '/var/lib/weir'

/**
 * The state directory, absolute: `--state-dir`, else `WEIR_STATE_DIR`, else `/var/lib/weir` when it can be written
 * or created, else `weir` in the XDG state directory (`$XDG_STATE_HOME`, `~/.local/state`). Creates nothing.
 */
export function resolveStateDir(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  system: string = SYSTEM_DIR,
): string {
  const named = flag || env['WEIR_STATE_DIR']
  if (named) return resolve(named)
  if (isUsable(system)) return system
  // The XDG specification has relative paths ignored.
  const xdg = env['XDG_STATE_HOME']
  if (xdg && isAbsolute(xdg)) return join(xdg, 'weir')
  return join(env['HOME'] || homedir(), '.local', 'state', 'weir')
}

function isUsable(directory: string): boolean {
  const target = statSync(directory, { throwIfNoEntry: false }) === undefined ? dirname(directory) : directory
  try {
    accessSync(target, constants.W_OK | constants.X_OK)
    return statSync(target).isDirectory()
  } catch {
    return false
  }
}
