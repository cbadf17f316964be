/**
 * Which container a cgroup belongs to, by its path alone: every runtime writes the container's id into it, Kubernetes
 * the pod's uid and its class of service.
 */

export interface CgroupOwner {
  readonly containerId: string
  /** `containerd`, `cri-o`, `docker`, `podman`, `nerdctl`, `lxc`, `garden`, ... as `container.runtime.name`. */
  readonly runtime: string
  readonly podUid?: string
  /** Kubernetes' quality of service. */
  readonly qosClass?: 'guaranteed' | 'burstable' | 'besteffort'
  /** The outermost container, where containers are nested (kind, Docker in Docker). */
  readonly outermostId?: string
}

const HEX64 = '[0-9a-f]{64}'
const UID = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/
/** Helpers of runtimes have cgroups of their own beside those of the containers. */
const HELPERS = /^(?:crio-conmon|libpod-conmon)-/

/** Names that tell the runtime. */
const NAMED: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^cri-containerd-(${HEX64})\\.scope$`), 'containerd'],
  [new RegExp(`(?:^|:)cri-containerd:(${HEX64})$`), 'containerd'],
  [new RegExp(`^crio-(${HEX64})(?:\\.scope)?$`), 'cri-o'],
  [new RegExp(`^docker-(${HEX64})\\.scope$`), 'docker'],
  [new RegExp(`^libpod-(?:payload-)?(${HEX64})(?:\\.scope)?$`), 'podman'],
  [new RegExp(`^nerdctl-(${HEX64})\\.scope$`), 'nerdctl'],
  [/^lxc\.payload\.(.+)$/, 'lxc'],
  [/^machine-lxc\\x2d(.+)\.scope$/, 'lxc'],
  [/^.*-lxc\\x2d(.+)\.scope$/, 'lxc'],
  [/^bpm-(.+)\.scope$/, 'garden'],
  [/^([0-9a-f]{8}(?:-[0-9a-f]{4}){4,5})$/, 'garden'],
]
const BARE = new RegExp(`^${HEX64}$`)
const BARE_IN = new Map([
  ['docker', 'docker'],
  ['actions_job', 'docker'],
  ['lxc', 'lxc'],
  ['lxc.payload', 'lxc'],
])
const MOST = 4096

/** Undefined when no container owns the cgroup. The path is as in /proc/<pid>/cgroup, of any hierarchy. */
export function ownerOfCgroup(path: string): CgroupOwner | undefined {
  if (path.length > MOST) return undefined
  const parts = path.split('/').filter((part) => part !== '')
  let found: { id: string; runtime: string } | undefined
  let outermost: string | undefined
  let podUid: string | undefined
  let qos: string | undefined
  for (const [i, part] of parts.entries()) {
    if (HELPERS.test(part)) return undefined
    const uid = UID.exec(part)?.[1]
    if (uid !== undefined) {
      podUid = uid.replaceAll('_', '-')
      qos = qosOf(part, parts[i - 1])
      continue
    }
    const own = ownerOfPart(part, parts, i)
    if (own === undefined) continue
    outermost ??= own.id
    found = own
  }
  if (found === undefined) return undefined
  return {
    containerId: found.id,
    runtime: found.runtime,
    ...(podUid !== undefined && { podUid }),
    ...(podUid !== undefined && { qosClass: qos as NonNullable<CgroupOwner['qosClass']> }),
    ...(outermost !== found.id && outermost !== undefined && { outermostId: outermost }),
  }
}

function ownerOfPart(part: string, parts: readonly string[], i: number): { id: string; runtime: string } | undefined {
  // Sysbox: the container is the fourth part, whatever it is called.
  if (parts.includes('syscont-cgroup-root') && i === 3 && BARE.test(part)) return { id: part, runtime: 'sysbox' }
  const named = ownerOfName(part, isUnderPods(parts, i))
  if (named !== undefined) return named
  const parent = parts[i - 1] ?? ''
  const inside = BARE_IN.get(parent)
  if (inside !== undefined && (BARE.test(part) || inside === 'lxc')) return { id: part, runtime: inside }
  if (!BARE.test(part)) return undefined
  return { id: part, runtime: isUnderPods(parts, i) ? 'containerd' : 'unknown' }
}

function ownerOfName(part: string, isPod: boolean): { id: string; runtime: string } | undefined {
  for (const [pattern, runtime] of NAMED) {
    const id = pattern.exec(part)?.[1]
    if (id !== undefined && !(runtime === 'garden' && isPod)) return { id, runtime }
  }
  return undefined
}

function isUnderPods(parts: readonly string[], i: number): boolean {
  return parts.slice(0, i).some((part) => part.startsWith('kubepods'))
}

function qosOf(part: string, parent = ''): string {
  if (/besteffort/.test(part) || /besteffort/.test(parent)) return 'besteffort'
  if (/burstable/.test(part) || /burstable/.test(parent)) return 'burstable'
  return 'guaranteed'
}
