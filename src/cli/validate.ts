/** `weir validate`: checks a configuration without starting anything. */
import type { Config } from '../config/config.ts'
import { SECTION_NAMES } from '../config/ids.ts'
import { loadConfig } from '../config/load.ts'
import { CONFIG_FLAGS, command, parseFlags, problemText, sourcesOf } from './arguments.ts'

/** Exit codes: 0 valid, 1 not. */
export const validate = command(async (args, io) => {
  const sources = sourcesOf('validate', parseFlags('validate', args, CONFIG_FLAGS), io.cwd)
  const result = loadConfig(sources, io.registry, io.env)
  io.stderr(problemText(result))
  if (result.config === undefined) return 1
  io.stdout(`${sources.configs.map(nameOf).join(' + ')} is valid: ${size(result.config)}\n`)
  return 0
})

/** Text given in place of a file may hold secrets. */
function nameOf(source: string): string {
  return source.startsWith('yaml:') ? 'the given text' : source
}

function size(config: Config): string {
  const components = SECTION_NAMES.reduce((sum, section) => sum + config[section].size, 0)
  return `${count(config.pipelines.size, 'pipeline')}, ${count(components, 'component')}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
