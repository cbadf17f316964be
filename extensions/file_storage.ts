/**
 * Where queues and checkpoints are kept. Without a `directory` that is the embedded store of the state directory, which
 * keeps the checkpoints too, so that a power cut rolls all of them back together.
 */
import { z } from 'zod'
import { defineExtension } from '../src/component.ts'
import { openStore } from '../src/storage/embedded.ts'
import type { StoreOwner } from '../src/storage/store.ts'

export const fileStorage = defineExtension({
  type: 'file_storage',
  stability: 'beta',
  summary: 'Keeps the queues of exporters on disk.',
  config: z.strictObject({
    directory: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Directory of a store of its own, created for its owner alone; it belongs to one process. Without it the embedded store of the state directory is used, with the checkpoints: faster, and they never disagree.',
      ),
  }),
  unsupported: {
    timeout: 'one process owns the file from its start to its end; leave it out',
    fsync: 'what a source could not take back is always on the disk before it is answered; leave it out',
    create_directory: 'the directory is always created; leave it out',
    directory_permissions: 'the directory is created for its owner alone (0700)',
    recreate: 'a file that cannot be used is moved aside, with an error in the log; leave it out',
    'compaction.*': 'the file shrinks by itself; leave compaction out',
  },
  examples: [{}, { directory: '/var/lib/weir/queue' }],
  create({ directory }, { host, log }) {
    let own: StoreOwner | undefined
    return {
      get storage() {
        return directory === undefined ? host.stores : own
      },
      async start() {
        if (directory !== undefined) own = await openStore(directory, { warn: (message) => log.error(message) })
      },
      async stop() {
        await own?.close()
        own = undefined
      },
    }
  },
})
