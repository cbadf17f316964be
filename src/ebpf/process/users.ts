/** Names of the host's users, from its passwd file. Users of containers are not looked up: the same number is another name. */
import { readFileSync, statSync } from 'node:fs'

const MOST = 1 << 20
const CHECK_NS = 30e9

export class Users {
  readonly #path: string
  #names = new Map<number, string>()
  #modified = -1
  #checked = Number.NEGATIVE_INFINITY

  constructor(etc = '/etc') {
    this.#path = `${etc}/passwd`
  }

  name(uid: number): string | undefined {
    return this.#names.get(uid)
  }

  /** Reads the file again when it has changed; at most every half minute. */
  refresh(now: number): void {
    if (now - this.#checked < CHECK_NS) return
    this.#checked = now
    try {
      const { mtimeMs, size } = statSync(this.#path)
      if (mtimeMs === this.#modified || size > MOST) return
      this.#modified = mtimeMs
      this.#names = new Map(
        readFileSync(this.#path, 'utf8')
          .split('\n')
          .map((line) => line.split(':'))
          .filter(([name, , uid]) => name !== undefined && name.length <= 64 && /^\d+$/.test(uid ?? ''))
          .map(([name, , uid]) => [Number(uid), name as string]),
      )
    } catch {
      // No file: numbers only.
    }
  }
}
