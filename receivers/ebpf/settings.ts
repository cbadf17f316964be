/** From the words of the configuration to the numbers that the kernel side takes. */
import { SIGNALS } from '../../src/ebpf/kernel/hooks.ts'
import type { KernelConfig } from '../../src/ebpf/kernel/sensor.ts'
import type { SensingSettings } from '../../src/ebpf/sensing/open.ts'
import { DEFAULT_WATCH } from '../../src/ebpf/sensing/watch-list.ts'
import { type Config, capabilityMask } from './config.ts'

export function settingsOf(config: Config): SensingSettings {
  const { rings, include, exclude, watch, environment } = config
  return {
    config: kernelConfig(config),
    rings,
    rules: { include, exclude },
    watch: [...(watch.defaults ? DEFAULT_WATCH : []), ...watch.files],
    rawSyscalls: config.raw_syscalls,
    avoid: config.avoid_hooks,
    redactArguments: config.arguments.redact,
    environment: new Set(environment.allow),
    suppress: new Set([
      ...(config.export.fork ? [] : ['process.fork']),
      ...(config.export.exit ? [] : ['process.exit']),
    ]),
    ...(config.cri_endpoint !== undefined && { criSocket: config.cri_endpoint.replace(/^unix:\/\//, '') }),
    ...(config.cgroup_root !== undefined && { cgroupRoot: config.cgroup_root }),
    ...(config.node_name !== undefined && { nodeName: config.node_name }),
    ...(config.cluster_name !== undefined && { resource: { 'k8s.cluster.name': config.cluster_name } }),
  }
}

function kernelConfig(config: Config): Partial<KernelConfig> {
  const { exec, file, network, other, enabled } = config.rate_limits
  const budgets = [exec, file, network, other] as const
  const four = (of: (budget: typeof exec) => number): [number, number, number, number] =>
    budgets.map(of) as [number, number, number, number]
  return {
    signals: Object.entries(SIGNALS).reduce(
      (mask, [name, bit]) => (config.signals[name as keyof typeof SIGNALS] ? mask | bit : mask),
      0,
    ),
    withEnv: config.environment.allow.length > 0 ? 1 : 0,
    simulateDrop: config.simulate_drop,
    dedupSeconds: config.dedup / 1000,
    l7Payload: config.capture.payload,
    failedOpens: config.failed_opens ? 1 : 0,
    rate: four(({ per_second }) => (enabled ? per_second : 0)),
    burst: four(({ burst }) => burst),
    ...(config.capabilities !== undefined && { capMask: capabilityMask(config.capabilities) }),
  }
}
