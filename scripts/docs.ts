/** Writes the generated parts of docs/. A test fails when they are stale. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { registry } from '../src/components.ts'
import { generatedPages } from './docs/pages.ts'

const root = join(import.meta.dirname, '..')
for (const [path, text] of generatedPages(root, registry)) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
