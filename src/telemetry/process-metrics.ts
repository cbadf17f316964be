/** Metrics of the process itself, read when somebody asks. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { MetricRegistry } from './registry.ts'

/** Adds them to the registry. Returns a function that stops the measuring. */
export function observeProcess(metrics: MetricRegistry): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const remove = metrics.onCollect(() => {
    const memory = process.memoryUsage()
    const cpu = process.cpuUsage()
    metrics.set('otelcol_process_uptime', process.uptime())
    metrics.set('otelcol_process_cpu_seconds', (cpu.user + cpu.system) / 1e6)
    metrics.set('otelcol_process_memory_rss', memory.rss)
    metrics.set('otelcol_process_runtime_heap_alloc_bytes', memory.heapUsed)
    metrics.set('otelcol_process_runtime_total_sys_memory_bytes', memory.heapTotal + memory.external)
    for (const quantile of [50, 99]) {
      // The resolution is the timer's own period, so it is part of every sample.
      const seconds = Math.max(0, delay.percentile(quantile) / 1e9 - 0.02)
      metrics.set('weir_event_loop_delay_seconds', seconds, { quantile: String(quantile / 100) })
    }
    delay.reset()
  })
  return () => {
    delay.disable()
    remove()
  }
}
