/** What goes on in the cluster, and how often. */
import type { Scene } from './call.ts'
import type { Call } from './event.ts'
import { endpoints, lease, loopback, nodeStatus, probe, recordEvent, token, watch } from './noise.ts'
import { person } from './people.ts'
import { weighted } from './random.ts'
import { deploy, newPod, oldPod, operator, rollout } from './workloads.ts'

const panic: Scene = (cluster, random) => [{ ...(operator(cluster, random)[0] as Call), panics: true }]

/** The everyday mix, roughly that of a cluster of six nodes: half heartbeats, a tenth people and CI. */
export const everyday = weighted<Scene>([
  [260, lease],
  [90, probe],
  [60, nodeStatus],
  [40, recordEvent],
  [40, endpoints],
  [30, watch],
  [40, loopback],
  [20, token],
  [44, newPod],
  [16, oldPod],
  [60, rollout],
  [40, operator],
  [6, deploy],
  [70, person],
  [0.05, panic],
])
