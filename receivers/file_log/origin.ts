/** What a file's name and owner say about all of its records. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { FileRef } from '../../src/files/page.ts'
import { internResource } from '../../src/records/interning.ts'
import type { Attributes, Resource } from '../../src/records/record.ts'
import type { FileLogOptions } from './config.ts'

export interface Origin {
  readonly attributes: Attributes
  readonly resource: Resource
}

/** Looked up once for each file and name that it has. */
export function createOrigins(options: FileLogOptions): (file: FileRef) => Origin {
  return ({ path }) => {
    const attributes: Attributes = { ...options.attributes }
    if (options.include_file_name) attributes['log.file.name'] = basename(path)
    if (options.include_file_path) attributes['log.file.path'] = path
    const resolved = resolvedPath(path)
    if (options.include_file_name_resolved) attributes['log.file.name_resolved'] = basename(resolved)
    if (options.include_file_path_resolved) attributes['log.file.path_resolved'] = resolved
    addOwner(attributes, path, options)
    const pod = options.format === 'cri' ? podOf(path, resolved) : {}
    return { attributes, resource: internResource({ ...pod, ...options.resource }) }
  }
}

function resolvedPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // Renamed or deleted since: its last name is the best there is.
  }
}

function addOwner(attributes: Attributes, path: string, options: FileLogOptions): void {
  if (!options.include_file_owner_name && !options.include_file_owner_group_name) return
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (options.include_file_owner_name) attributes['log.file.owner.name'] = nameOf('/etc/passwd', stat.uid)
  if (options.include_file_owner_group_name) attributes['log.file.owner.group.name'] = nameOf('/etc/group', stat.gid)
}

/** The name of a number in a file of colon-separated lines; the number itself where it has none. */
function nameOf(table: string, id: number): string {
  try {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const [name, , number] = line.split(':')
      if (number === String(id) && name) return name
    }
  } catch {
    // No such table in this image.
  }
  return String(id)
}

/** `/var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log`, and what the kubelet renames it to. */
const POD_PATH = /\/([^/_]+)_([^/_]+)_([^/_]+)\/([^/]+)\/(\d+)\.log(?:[.-][^/]*)?$/
/** `/var/log/containers/<pod>_<namespace>_<container>-<container id>.log`: links to the above. */
const CONTAINER_LINK = /\/([^/_]+)_([^/_]+)_([^/]+)-([0-9a-f]{64})\.log$/

function podOf(path: string, resolved: string): Attributes {
  const link = CONTAINER_LINK.exec(path)
  const pod = POD_PATH.exec(path) ?? POD_PATH.exec(resolved)
  const known: Attributes = {}
  if (link) {
    known['k8s.pod.name'] = link[1] as string
    known['k8s.namespace.name'] = link[2] as string
    known['k8s.container.name'] = link[3] as string
    known['container.id'] = link[4] as string
  }
  if (pod) {
    known['k8s.namespace.name'] = pod[1] as string
    known['k8s.pod.name'] = pod[2] as string
    known['k8s.pod.uid'] = pod[3] as string
    known['k8s.container.name'] = pod[4] as string
    known['k8s.container.restart_count'] = Number(pod[5])
  }
  return known
}
