/**
 * Names of pods without any API: the kubelet keeps the logs of each pod in /var/log/pods/<namespace>_<pod>_<uid>, and
 * links from /var/log/containers name the container. Both are names that a cluster's users chose: untrusted text.
 */
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface PodNames {
  readonly namespace: string
  readonly pod: string
  readonly container?: string
  /** Of the pod, where they are known. */
  readonly labels?: ReadonlyMap<string, string>
}

/** Where names come from. Undefined while they are not known, which may change. */
export interface NameSource {
  lookup(podUid: string, containerId: string): PodNames | undefined
}

/** Entries of a directory that are looked at. */
const MOST = 10_000
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/
const POD_DIRECTORY = /^([^_]+)_([^_]+)_([0-9a-f-]{32,36})$/

export class PodLogs implements NameSource {
  readonly #root: string

  /** `root` holds `pods` and `containers`. */
  constructor(root = '/var/log') {
    this.#root = root
  }

  lookup(podUid: string, containerId: string): PodNames | undefined {
    for (const entry of this.#list('pods')) {
      const [, namespace = '', pod = '', uid] = POD_DIRECTORY.exec(entry) ?? []
      if (uid !== podUid || !NAME.test(namespace) || !NAME.test(pod)) continue
      const container = this.#container(namespace, pod, containerId) ?? this.#only(entry)
      return { namespace, pod, ...(container !== undefined && { container }) }
    }
    return undefined
  }

  /** `<pod>_<namespace>_<container>-<id>.log`. */
  #container(namespace: string, pod: string, containerId: string): string | undefined {
    const start = `${pod}_${namespace}_`
    const end = `-${containerId}.log`
    for (const entry of this.#list('containers')) {
      if (!entry.startsWith(start) || !entry.endsWith(end)) continue
      const name = entry.slice(start.length, -end.length)
      if (NAME.test(name) && this.#isLink(entry)) return name
    }
    return undefined
  }

  /** Of a pod with one container, which has the only directory. */
  #only(entry: string): string | undefined {
    const [name, ...others] = this.#list(join('pods', entry))
    return name !== undefined && others.length === 0 && NAME.test(name) ? name : undefined
  }

  #list(directory: string): string[] {
    try {
      return readdirSync(join(this.#root, directory)).slice(0, MOST)
    } catch {
      return []
    }
  }

  #isLink(entry: string): boolean {
    try {
      return readlinkSync(join(this.#root, 'containers', entry)).length > 0
    } catch {
      return false
    }
  }
}
