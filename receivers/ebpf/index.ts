/**
 * Watches the kernel of its node with eBPF: programs, files, connections and whatever else says who does what.
 *
 * A lossy source: the kernel does not wait. Between it and the pipelines lie two rings and a backlog; what finds no room
 * in them is counted by its kind, and told in the stream itself.
 */
import { type Context, defineReceiver, type Receiver } from '../../src/component.ts'
import type { Session } from '../../src/ebpf/sensing/session.ts'
import { type Config, config } from './config.ts'
import { Outlet } from './outlet.ts'
import { settingsOf } from './settings.ts'

/** Time for the last records to find room when everything ends. */
const LAST_ROOM_MS = 2000

export const ebpf = defineReceiver({
  type: 'ebpf',
  stability: 'alpha',
  summary: 'Watches programs, files, connections and privileges of a node, from inside its kernel.',
  delivery: 'lossy',
  ends: false,
  config,
  unsupported: {
    'include.pod_label': 'write include::pod_labels',
    'exclude.pod_label': 'write exclude::pod_labels',
  },
  examples: [
    {},
    {
      signals: { file: false, capability: false },
      exclude: { namespaces: ['kube-system'], binaries: ['/usr/bin/node_exporter'], cidrs: ['127.0.0.0/8'] },
    },
    {
      node_name: 'node-1',
      environment: { allow: ['LD_PRELOAD'] },
      watch: { files: [{ class: 'payments', paths: ['/srv/payments/keys/*'] }] },
      rate_limits: { file: { per_second: 5000, burst: 20_000 } },
      rings: { bulk: '64MiB' },
    },
  ],
  create: (settings, context) => createReceiver(settings, context),
})

function createReceiver(settings: Config, context: Context): Receiver {
  let prepared: Open | undefined
  return {
    // Loads once at the start, so that what is missing on this host is said at once.
    async start() {
      prepared = await open(settings, context)
    },
    async run(intake, signal) {
      const { session, outlet } = prepared ?? (await open(settings, context))
      prepared = undefined
      const patience = new AbortController()
      outlet.open(intake, patience.signal)
      try {
        await session.start()
        await session.run(signal)
      } finally {
        await session.end()
        const limit = setTimeout(() => patience.abort(new Error('the time for it is over')), LAST_ROOM_MS)
        await outlet.close()
        clearTimeout(limit)
        // What found no room at the very end is in nobody's books yet.
        session.ledger.close(Date.now())
      }
    },
    async stop() {
      const open = prepared
      prepared = undefined
      await open?.session.end()
    },
  }
}

interface Open {
  readonly session: Session
  readonly outlet: Outlet
}

async function open(settings: Config, context: Context): Promise<Open> {
  // Only who watches the kernel carries what that takes.
  const { openSession } = await import('../../src/ebpf/sensing/open.ts')
  const outlet = new Outlet({
    context,
    limit: settings.backlog,
    shed(eventName, records) {
      session.ledger.lose(eventName, 'no_room', 'intake', records.length)
      for (const { resource } of records) session.ledger.blame(String(resource.attributes['container.id'] ?? 'host'), 1)
    },
  })
  const session: Session = openSession(settingsOf(settings), {
    report: context,
    log: context.log,
    deliver(records, bytes) {
      outlet.offer(records, bytes)
      context.gauge('weir_ebpf_backlog_records', outlet.waiting)
    },
  })
  return { session, outlet }
}
