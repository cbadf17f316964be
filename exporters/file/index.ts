/** Records in a file, one JSON object a line, with rotation by size and age. */
import { z } from 'zod'
import { defineExporter } from '../../src/component.ts'
import { byteSize, duration } from '../../src/config/values.ts'
import { toOtlpJson } from '../../src/otlp/json.ts'
import { recordToJson } from '../../src/records/json.ts'
import { createRotatingFile } from './rotating-file.ts'

const config = z.strictObject({
  path: z.string().min(1).describe('File to append to; its directory is created.'),
  format: z
    .enum(['json', 'otlp_json'])
    .default('json')
    .describe('`json`: one object a record; `otlp_json`: one OTLP request a line.'),
  rotation: z
    .strictObject({
      max_size: byteSize().prefault('100MiB').describe('Begin a new file before this one grows larger; 0 never does.'),
      max_age: duration().prefault('0').describe('Begin a new file when this one is older; 0 never does.'),
      max_backups: z.int().min(0).default(10).describe('Older files to keep; 0 keeps all.'),
      compression: z.enum(['none', 'gzip', 'zstd']).default('none').describe('Compression of files that are full.'),
    })
    .prefault({})
    .describe('When a new file is begun, and what becomes of the old one.'),
  sync: z
    .boolean()
    .default(true)
    .describe('Acknowledge only what the disk has (fdatasync); false trusts the page cache.'),
})

export const file = defineExporter({
  type: 'file',
  stability: 'beta',
  summary: 'Writes records to a file, one JSON object a line.',
  config,
  unsupported: {
    append: 'Weir always appends; leave it out',
    encoding: 'encoding extensions are not available; choose format: json or otlp_json',
    compression: 'a growing file is not compressed; set rotation::compression for the full ones',
    flush_interval: 'every batch is written before it is acknowledged; leave it out',
    group_by: 'use one file exporter for each group, and a routing connector',
    create_directory: 'the directory is always created; leave it out',
    directory_permissions: 'the directory is created with 0750',
    'rotation.max_megabytes': 'write rotation::max_size, e.g. max_size: 100MiB',
    'rotation.max_days': 'write rotation::max_age, e.g. max_age: 7d',
    'rotation.localtime': 'names of rotated files are in UTC',
  },
  examples: [
    { path: '/var/log/weir/events.jsonl' },
    {
      path: '/var/log/weir/events.jsonl',
      rotation: { max_size: '1GiB', max_age: '1d', max_backups: 7, compression: 'zstd' },
    },
  ],
  create({ path, format, rotation, sync }, context) {
    const target = createRotatingFile({
      path,
      sync,
      maxBytes: rotation.max_size,
      maxAgeMs: rotation.max_age,
      maxBackups: rotation.max_backups,
      compression: rotation.compression,
      warn: (message, error) => context.log.warn(message, { error }),
    })
    return {
      start: () => target.open(),
      export(records) {
        const text =
          format === 'json' ? records.map((record) => `${recordToJson(record)}\n`).join('') : `${toOtlpJson(records)}\n`
        return target.append(Buffer.from(text))
      },
      stop: () => target.close(),
    }
  },
})
