/** Where the tests keep what is dear to make or to fetch, from one run to the next. */
import { homedir } from 'node:os'
import { join } from 'node:path'

export const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'weir-test')
