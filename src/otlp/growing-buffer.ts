/**
 * A buffer that grows to what is written into it and is used again for the next request.
 *
 * Requests of megabytes as fresh strings and buffers would be most of the garbage of a busy pipeline, of the
 * kind that only full collections find.
 */
export class GrowingBuffer {
  #bytes: Buffer
  #at = 0

  constructor(initialBytes = 256 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes)
  }

  /** Appends text as UTF-8; lone surrogates become U+FFFD. */
  text(text: string): void {
    this.reserve(text.length * 3)
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + more))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }

  /** What was written: a view that is valid until the buffer is used again. */
  take(): Buffer {
    const view = this.#bytes.subarray(0, this.#at)
    this.#at = 0
    return view
  }
}
