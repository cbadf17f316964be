/** Reads the body of a request within bounds: what is sent, and what it becomes when it is unpacked. */
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { constants, gunzip, inflate, zstdDecompress } from 'node:zlib'

/** Why a body was not read, as the status that says so. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly status: 400 | 408 | 413 | 415
  constructor(status: BodyError['status'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** The length that a client announced; undefined where it sends in chunks. */
export function contentLength({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

export const ENCODINGS = ['', 'gzip', 'zstd', 'zlib', 'deflate'] as const
export type BodyEncoding = (typeof ENCODINGS)[number]

/** The encoding of a body, one of `allowed`. */
export function bodyEncoding({ headers }: IncomingMessage, allowed: readonly BodyEncoding[]): BodyEncoding {
  const given = (headers['content-encoding'] ?? '').trim().toLowerCase()
  const name = given === 'identity' ? '' : given === 'x-gzip' ? 'gzip' : given
  const known = allowed.find((one) => one === name)
  if (known !== undefined) return known
  const names = allowed.filter((one) => one !== '').join(', ') || 'none'
  throw new BodyError(415, `this content encoding is not accepted here; accepted: ${names}`)
}

/**
 * All that is sent, at most `limit` bytes. Rejects with the signal's reason when it aborts. The request stays open in
 * any case, so that it can be answered; what is left of it is nobody's.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  signal: AbortSignal,
  /** Hears how much has come, before more is read. Where it answers a promise, reading waits for it. */
  onGrowth: (bytes: number) => Promise<void> | undefined,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let size = 0
  const onData = (chunk: Buffer): void => {
    size += chunk.length
    if (size > limit) {
      finish(tooLarge(limit))
      return
    }
    chunks.push(chunk)
    const wait = onGrowth(size)
    if (wait === undefined) return
    request.pause()
    wait.then(() => request.resume(), finish)
  }
  const onEnd = (): void => finish(undefined)
  const onClose = (): void => finish(new Error('the client went away'))
  const onAbort = (): void => finish(signal.reason as Error)
  const finish = (error: Error | undefined): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
    signal.removeEventListener('abort', onAbort)
    // Somebody must listen, or the error of a socket that breaks later ends the program.
    request.on('error', () => {})
    if (error === undefined) resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    else {
      request.pause()
      reject(error)
    }
  }
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  return promise
}

const unpackGzip = promisify(gunzip)
const unpackZlib = promisify(inflate)
const unpackZstd = promisify(zstdDecompress)
/** 8 MiB, the most that HTTP allows (RFC 9659): a frame may demand a window of gigabytes before its first byte. */
const ZSTD_WINDOW = { [constants.ZSTD_d_windowLogMax]: 23 }

/** Unpacks a body, off the main thread; what would become more than `limit` bytes is given up when it does. */
export async function unpack(body: Buffer, encoding: BodyEncoding, limit: number): Promise<Buffer> {
  if (encoding === '') return body
  try {
    const options = { maxOutputLength: limit }
    if (encoding === 'gzip') return await unpackGzip(body, options)
    if (encoding === 'zstd') return await unpackZstd(body, { ...options, params: ZSTD_WINDOW })
    return await unpackZlib(body, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit, error)
    throw new BodyError(400, `the body is not ${encoding}, or ends too early`, { cause: error })
  }
}

function tooLarge(limit: number, cause?: unknown): BodyError {
  return new BodyError(
    413,
    `the body is larger than ${limit} bytes: send smaller batches, or raise max_request_body_size`,
    {
      cause,
    },
  )
}
