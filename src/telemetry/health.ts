/** What is well and what is not, component by component. */
import type { Health } from '../component.ts'

export interface ComponentHealth {
  readonly status: Health
  readonly reason?: string
  /** Milliseconds since the epoch at which the status last changed. */
  readonly since: number
}

export class HealthBoard {
  readonly #components = new Map<string, ComponentHealth>()

  /** Returns true when the status or its reason is new. */
  report(component: string, status: Health, reason?: string): boolean {
    const known = this.#components.get(component)
    if (known?.status === status && known.reason === reason) return false
    const since = known?.status === status ? known.since : Date.now()
    this.#components.set(component, reason === undefined ? { status, since } : { status, reason, since })
    return true
  }

  forget(component: string): void {
    this.#components.delete(component)
  }

  get components(): ReadonlyMap<string, ComponentHealth> {
    return this.#components
  }
}
