/** A million hostile inputs for every decoder. */
import { fuzz } from '../fuzz/fuzz.ts'
import type { FullSuite } from './suite.ts'

const CASES = Number(process.env['WEIR_FUZZ_CASES'] ?? 1_000_000)
/** Far above what any case needs, and far below a hang. */
const SLOW_MS = 3000

export async function fullFuzz(): Promise<FullSuite> {
  const results = await fuzz(CASES)
  return {
    title: 'Hostile input',
    what: 'Noise, damaged and truncated messages, lies about lengths, depth, and odd values, for every decoder.',
    columns: ['decoder', 'cases', 'slowest, ms'],
    rows: results.map(({ name, cases, slowestMs }) => [name, cases, Math.round(slowestMs)]),
    failures: results.flatMap(({ name, failure, slowestMs }) => {
      if (failure !== undefined) return [`${name}: ${failure}`]
      return slowestMs < SLOW_MS ? [] : [`${name}: a case took ${Math.round(slowestMs)} ms.`]
    }),
  }
}
