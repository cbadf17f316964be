/** `weir schema`: the JSON Schema of a configuration file, for editors. */
import { configSchema } from '../config/json-schema.ts'
import { command, parseFlags } from './arguments.ts'

export const schema = command(async (args, io) => {
  parseFlags('schema', args, {})
  io.stdout(`${JSON.stringify(configSchema(io.registry), undefined, 2)}\n`)
  return 0
})
