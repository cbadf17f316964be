/** Brings one request to the first node that is able to answer. */
import { HoldError } from '../../src/exporting/errors.ts'
import type { PostResponse } from '../../src/net/http-post.ts'
import type { Logger } from '../../src/telemetry/logger.ts'
import { type Node, Nodes } from './nodes.ts'

export type Post = (url: URL, body: Uint8Array, signal: AbortSignal) => Promise<PostResponse>

export class Sender {
  readonly #nodes: Nodes
  readonly #post: Post
  readonly #log: Logger

  constructor(urls: readonly URL[], post: Post, log: Logger) {
    this.#nodes = new Nodes(urls)
    this.#post = post
    this.#log = log
  }

  /** Rejects with what the last node did, and at once with the reason of `signal`. */
  async send(body: Uint8Array, signal: AbortSignal): Promise<PostResponse> {
    const candidates = this.#nodes.candidates(Date.now())
    for (const node of candidates.slice(0, -1)) {
      const response = await this.#attempt(node, body, signal).catch((error: Error) => orThrow(error, signal))
      if (response !== undefined && !isOutOfOrder(response)) return response
    }
    return this.#attempt(candidates.at(-1) as Node, body, signal)
  }

  async #attempt(node: Node, body: Uint8Array, signal: AbortSignal): Promise<PostResponse> {
    try {
      const response = await this.#post(node.url, body, signal)
      if (isOutOfOrder(response)) this.#leaveOut(node, `it answered ${response.status}`)
      else if (this.#nodes.answered(node)) this.#log.info('A node takes requests again.', { node: node.url.host })
      return response
    } catch (error) {
      // A shutdown is no node's fault; a timeout is.
      const isOurs = signal.aborted && (signal.reason as Error)?.name !== 'TimeoutError'
      if (!isOurs && !(error instanceof HoldError)) this.#leaveOut(node, (error as Error).message)
      throw error
    }
  }

  #leaveOut(node: Node, why: string): void {
    if (!this.#nodes.failed(node, Date.now())) return
    this.#log.warn('A node does not take requests; it is left out for a while.', { node: node.url.host, why })
  }
}

/** Another node may do better, unless there is no time left or somebody must act. */
function orThrow(error: Error, signal: AbortSignal): undefined {
  if (signal.aborted || error instanceof HoldError) throw error
}

function isOutOfOrder({ status }: PostResponse): boolean {
  return status === 502 || status === 503 || status === 504
}
