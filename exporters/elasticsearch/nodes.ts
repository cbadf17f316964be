/** Several nodes of one cluster: used in turn; one that fails is left out for a while, then tried again. */

export interface Node {
  readonly url: URL
  /** Failures in a row. */
  failures: number
  /** Left out until then, in milliseconds. */
  asideUntil: number
}

const FIRST_REST_MS = 1000
const LONGEST_REST_MS = 60_000

export class Nodes {
  readonly #nodes: readonly Node[]
  #next = 0

  constructor(urls: readonly URL[]) {
    this.#nodes = urls.map((url) => ({ url, failures: 0, asideUntil: 0 }))
  }

  /** In the order in which one request should try them: those in order, in turn; else the one that has rested longest. */
  candidates(now: number): readonly Node[] {
    const count = this.#nodes.length
    const turn = this.#next
    this.#next = (turn + 1) % count
    const inTurn = Array.from({ length: count }, (_, i) => this.#nodes[(turn + i) % count] as Node)
    const well = inTurn.filter(({ asideUntil }) => asideUntil <= now)
    return well.length > 0 ? well : inTurn.toSorted((a, b) => a.asideUntil - b.asideUntil).slice(0, 1)
  }

  /** True when the node was well until now, and there are others. */
  failed(node: Node, now: number): boolean {
    const rest = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** node.failures)
    node.failures += 1
    node.asideUntil = now + rest
    return node.failures === 1 && this.#nodes.length > 1
  }

  /** True when the node was left out until now. */
  answered(node: Node): boolean {
    const was = node.failures > 0
    node.failures = 0
    node.asideUntil = 0
    return was && this.#nodes.length > 1
  }
}
