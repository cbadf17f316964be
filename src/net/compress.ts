/** Compression of request bodies, off the main thread. */
import { promisify } from 'node:util'
import { constants, gzip, zstdCompress } from 'node:zlib'

export type Compression = 'none' | 'gzip' | 'zstd'

const gzipAsync = promisify(gzip)
const zstdAsync = promisify(zstdCompress)

/** Compresses with `level`: 1 to 9 for gzip, 1 to 19 for zstd. */
export async function compress(body: Uint8Array, compression: Compression, level: number): Promise<Uint8Array> {
  if (compression === 'gzip') return gzipAsync(body, { level })
  if (compression === 'zstd') return zstdAsync(body, { params: { [constants.ZSTD_c_compressionLevel]: level } })
  return body
}
