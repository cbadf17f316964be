import { getSystemErrorMap } from 'node:util'

/** The sensor cannot run, or not as asked: the message says what is missing and what to do. */
export class SensorError extends Error {
  override readonly name = 'SensorError'
}

/** A call of the kernel or of libbpf that failed. `errno` is positive. */
export class BpfError extends Error {
  override readonly name = 'BpfError'
  readonly errno: number

  constructor(what: string, errno: number) {
    const [code = `error ${errno}`, words = ''] = getSystemErrorMap().get(-errno) ?? []
    super(`${what}: ${words === '' ? code : `${words} (${code})`}`)
    this.errno = errno
  }
}
