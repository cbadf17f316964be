/** Every generated file of the documentation, as text: what `npm run docs` writes and a test compares. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyDefinition, Registry } from '../../src/component.ts'
import { attributesPage } from './attributes-page.ts'
import { pagePath, renewPage } from './component-page.ts'
import { ebpfEventsPage } from './ebpf-events-page.ts'
import { ecsPage } from './ecs-page.ts'
import { metricsPage } from './metrics-page.ts'
import { code } from './options.ts'

/** Path below `root` -> text. */
export function generatedPages(root: string, registry: Registry): Map<string, string> {
  const all: AnyDefinition[] = Object.values(registry).flat()
  const pages = new Map<string, string>()
  for (const definition of all) {
    const path = join('docs/components', pagePath(definition))
    const file = join(root, path)
    pages.set(path, renewPage(definition, existsSync(file) ? readFileSync(file, 'utf8') : undefined))
  }
  pages.set('docs/components/README.md', indexPage(all))
  pages.set('docs/metrics.md', metricsPage())
  pages.set('docs/attributes.md', attributesPage())
  pages.set('docs/ebpf-events.md', ebpfEventsPage())
  pages.set('docs/ecs.md', ecsPage(root))
  return pages
}

function indexPage(all: readonly AnyDefinition[]): string {
  const kinds = ['receiver', 'processor', 'connector', 'exporter', 'extension'] as const
  const sections = kinds.map((kind) => {
    const rows = all
      .filter((one) => one.kind === kind)
      .map((one) => `| [${code(one.type)}](${pagePath(one)}) | ${one.stability} | ${one.summary} |`)
    return `## ${kind[0]?.toUpperCase()}${kind.slice(1)}s\n\n| type | stability | what it does |\n| --- | --- | --- |\n${rows.join('\n')}`
  })
  return `# Components\n\n<!-- made by npm run docs; do not edit -->\n\n${sections.join('\n\n')}\n`
}
