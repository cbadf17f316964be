/**
 * Files whose opening says something: credentials, sockets of container runtimes, places where programs make
 * themselves at home. Each pattern has a class. The kernel side knows those that exist by their inode, under any name;
 * here they are known by name, for those that come to be later.
 */
import { boundedCache } from '../../records/bounded-cache.ts'

export interface WatchEntry {
  /** What a file of this kind is to an attacker. */
  readonly class: string
  /** Absolute; `*` is any part of one name, a leading `**` any folder. */
  readonly paths: readonly string[]
}

export const DEFAULT_WATCH: readonly WatchEntry[] = [
  {
    class: 'credentials',
    paths: [
      '/etc/shadow',
      '/etc/shadow-',
      '/etc/gshadow',
      '/etc/gshadow-',
      '/etc/security/opasswd',
      '/etc/sudoers',
      '/etc/sudoers.d/*',
      '/etc/ssh/ssh_host_*_key',
      '/etc/krb5.keytab',
      '/etc/ipsec.secrets',
      '/root/.ssh/id_*',
      '/home/*/.ssh/id_*',
      '**/.netrc',
      '**/.pgpass',
      '**/.git-credentials',
    ],
  },
  {
    class: 'service_account_token',
    paths: [
      '/var/run/secrets/kubernetes.io/serviceaccount/token',
      '/run/secrets/kubernetes.io/serviceaccount/token',
      '**/kubernetes.io~projected/*/token',
      '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
      '/var/run/secrets/azure/tokens/azure-identity-token',
    ],
  },
  {
    class: 'kubernetes_credentials',
    paths: [
      '/etc/kubernetes/admin.conf',
      '/etc/kubernetes/super-admin.conf',
      '/etc/kubernetes/kubelet.conf',
      '/etc/kubernetes/controller-manager.conf',
      '/etc/kubernetes/scheduler.conf',
      '/etc/kubernetes/pki/*.key',
      '/etc/kubernetes/pki/etcd/*.key',
      '/var/lib/kubelet/kubeconfig',
      '/var/lib/kubelet/pki/*.pem',
      '/var/lib/kubelet/pki/*.key',
      '/var/lib/etcd/member/snap/db',
      '/etc/rancher/k3s/k3s.yaml',
      '/etc/rancher/rke2/rke2.yaml',
      '/var/lib/rancher/k3s/server/token',
      '/var/lib/rancher/k3s/server/node-token',
      '**/.kube/config',
    ],
  },
  {
    class: 'cloud_credentials',
    paths: [
      '**/.aws/credentials',
      '**/.azure/accessTokens.json',
      '**/.azure/msal_token_cache.json',
      '**/.config/gcloud/credentials.db',
      '**/.config/gcloud/application_default_credentials.json',
      '**/.docker/config.json',
      '/var/lib/kubelet/config.json',
    ],
  },
  {
    class: 'container_runtime',
    paths: [
      '/run/docker.sock',
      '/var/run/docker.sock',
      '/run/containerd/containerd.sock',
      '/var/run/containerd/containerd.sock',
      '/run/k3s/containerd/containerd.sock',
      '/run/crio/crio.sock',
      '/var/run/crio/crio.sock',
      '/run/podman/podman.sock',
      '/run/cri-dockerd.sock',
    ],
  },
  {
    class: 'persistence',
    paths: [
      '/etc/ld.so.preload',
      '/etc/crontab',
      '/etc/cron.d/*',
      '/var/spool/cron/*',
      '/var/spool/cron/crontabs/*',
      '/root/.ssh/authorized_keys',
      '/home/*/.ssh/authorized_keys',
      '**/.ssh/authorized_keys',
      '/etc/pam.d/*',
      '/etc/kubernetes/manifests/*',
      '/etc/profile',
      '/etc/rc.local',
    ],
  },
  {
    class: 'container_escape',
    paths: [
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/fs/binfmt_misc/register',
      '/sys/kernel/uevent_helper',
      '/proc/sysrq-trigger',
      '/sys/fs/cgroup/release_agent',
      '/sys/fs/cgroup/*/release_agent',
      '**/release_agent',
    ],
  },
  {
    class: 'history',
    paths: ['**/.bash_history', '**/.zsh_history', '**/.ash_history', '**/.python_history', '**/.mysql_history'],
  },
]

/** Names `path`'s class; undefined when it is not on the list. Called for every opened file. */
export type WatchClassOf = (path: string) => string | undefined

export interface WatchList {
  /** In the order of their numbers: the number of a class in the kernel is its index + 1. */
  readonly classes: readonly string[]
  readonly entries: readonly WatchEntry[]
  readonly classOf: WatchClassOf
}

/** What a path is if one of its names is a wildcard. */
const WILD = /\*/

export function watchList(entries: readonly WatchEntry[] = DEFAULT_WATCH): WatchList {
  const exact = new Map<string, string>()
  /** By the last name of the path, where the pattern has a plain one: most paths are dismissed by one look. */
  const byName = new Map<string, [RegExp, string][]>()
  const rest: [RegExp, string][] = []
  for (const entry of entries) {
    for (const path of entry.paths) {
      if (!WILD.test(path)) {
        exact.set(path, entry.class)
        continue
      }
      const pattern: [RegExp, string] = [patternOf(path), entry.class]
      const name = path.slice(path.lastIndexOf('/') + 1)
      if (WILD.test(name)) rest.push(pattern)
      else byName.set(name, [...(byName.get(name) ?? []), pattern])
    }
  }
  // Patterns that end in a wildcard begin with a plain folder; one expression finds whether any can match.
  const any = rest.length === 0 ? undefined : new RegExp(rest.map(([{ source }]) => `(?:${source})`).join('|'), 'u')
  const classOf: WatchClassOf = (path) => {
    const known = exact.get(path)
    if (known !== undefined) return known
    const named = byName.get(path.slice(path.lastIndexOf('/') + 1))
    const found = named?.find(([pattern]) => pattern.test(path))
    if (found !== undefined) return found[1]
    return any?.test(path) ? rest.find(([pattern]) => pattern.test(path))?.[1] : undefined
  }
  // The same files are opened again and again.
  const cached = boundedCache(8192, (path) => classOf(path) ?? '', 256)
  return {
    classes: [...new Set(entries.map((entry) => entry.class))],
    entries,
    classOf: (path) => cached(path) || undefined,
  }
}

function patternOf(path: string): RegExp {
  const anywhere = path.startsWith('**/')
  const tail = (anywhere ? path.slice(2) : path)
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
    .join('[^/]*')
  return new RegExp(`^${anywhere ? '(?:/.*)?' : ''}${tail}$`, 'u')
}

/** Where a pattern with a leading `**` is looked for, besides by name: homes of people. */
const HOMES = ['/root', '/home/*']

/** The places that are looked up on disk. */
export function placesOf({ paths }: WatchEntry): string[] {
  return paths.flatMap((path) => (path.startsWith('**/') ? HOMES.map((home) => home + path.slice(2)) : [path]))
}
