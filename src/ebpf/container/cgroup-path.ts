/**
 * Which container a cgroup belongs to, by its path alone: every runtime writes the container's id into it, Kubernetes
 * the pod's uid and its class of service.
 */

type Qos = 'guaranteed' | 'burstable' | 'besteffort'

export interface CgroupOwner {
  readonly containerId: string
  /** `containerd`, `cri-o`, `docker`, `podman`, `nerdctl`, `lxc`, `garden`, ... as `container.runtime.name`. */
  readonly runtime: string
  readonly podUid?: string
  /** Kubernetes' quality of service. */
  readonly qosClass?: Qos
  /** The pod's container, where the one above lies in it. */
  readonly podContainerId?: string
  /** The outermost container, where containers are nested (kind, Docker in Docker). */
  readonly outermostId?: string
}

interface Found {
  readonly id: string
  readonly runtime: string
}

const HEX64 = '[0-9a-f]{64}'
const UID = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/
/** Helpers of runtimes have cgroups of their own beside those of the containers. */
const HELPERS = /^(?:crio-conmon|libpod-conmon)-/

/** Names that tell the runtime. */
const NAMED: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^cri-containerd-(${HEX64})\\.scope$`), 'containerd'],
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
  ['cri-containerd', 'containerd'],
  ['crio', 'cri-o'],
  ['actions_job', 'docker'],
  ['lxc', 'lxc'],
  ['lxc.payload', 'lxc'],
])
const MOST = 4096

/** Where users of the host may make cgroups of any name. */
const OF_USERS = 'user.slice'

/**
 * Undefined when no container owns the cgroup. The path is as in /proc/<pid>/cgroup, of any hierarchy.
 *
 * Whoever may write to the cgroup file system of its own container can make cgroups below that look like another one's.
 * So the innermost container is named beside the outermost one, and the pod is the outermost of several.
 */
export function ownerOfCgroup(path: string): CgroupOwner | undefined {
  if (path.length > MOST) return undefined
  // Colons stand in paths that are in systemd's form and were made by cgroupfs.
  const parts = path.split(/[/:]/).filter((part) => part !== '')
  const at = parts.findIndex((part) => parts[0] !== OF_USERS && UID.test(part))
  const owners = parts.map((part, i) => (UID.test(part) ? undefined : ownerOfPart(part, parts, i)))
  const first = owners.findIndex((owner) => owner !== undefined)
  const helper = parts.findIndex((part) => HELPERS.test(part))
  if (first < 0 || (helper >= 0 && helper < first)) return undefined
  const found = owners.findLast((owner) => owner !== undefined) as Found
  const ofPod = at < 0 ? undefined : owners.find((owner, i) => owner !== undefined && i > at)
  return ownerOf(found, owners[first]?.id, ofPod === undefined ? undefined : podOf(parts, at, ofPod.id))
}

interface Pod {
  readonly uid: string
  readonly qos: Qos
  readonly container: string
}

function podOf(parts: readonly string[], at: number, container: string): Pod {
  const part = parts[at] as string
  const [, uid = ''] = UID.exec(part) ?? []
  return { uid: uid.replaceAll('_', '-'), qos: qosOf(part, parts[at - 1]), container }
}

function ownerOf({ id, runtime }: Found, outermost: string | undefined, pod: Pod | undefined): CgroupOwner {
  return {
    containerId: id,
    runtime,
    ...(pod !== undefined && { podUid: pod.uid, qosClass: pod.qos }),
    ...(pod !== undefined && pod.container !== id && { podContainerId: pod.container }),
    ...(outermost !== undefined && outermost !== id && { outermostId: outermost }),
  }
}

function ownerOfPart(part: string, parts: readonly string[], i: number): Found | undefined {
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

function ownerOfName(part: string, isPod: boolean): Found | undefined {
  for (const [pattern, runtime] of NAMED) {
    const id = pattern.exec(part)?.[1]
    if (id !== undefined && !(runtime === 'garden' && isPod)) return { id, runtime }
  }
  return undefined
}

function isUnderPods(parts: readonly string[], i: number): boolean {
  return parts.slice(0, i).some((part) => /^(?:kubelet-)?kubepods/.test(part))
}

function qosOf(part: string, parent = ''): Qos {
  if (/besteffort/.test(part) || /besteffort/.test(parent)) return 'besteffort'
  if (/burstable/.test(part) || /burstable/.test(parent)) return 'burstable'
  return 'guaranteed'
}
