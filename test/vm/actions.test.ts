/** The same actions on kernels of Debian in a virtual machine, where the better hooks exist. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ACTIONS } from '../ebpf/actions/table.ts'
import { printHooks, printOutcomes } from '../ebpf/kit/report.ts'
import type { Report } from '../ebpf/kit/run-actions.ts'
import type { Run } from './boot.ts'
import { kernelsToTest, noMachine, reportOf, runInMachine } from './machine.ts'

/** The best hooks everywhere; in the full run the next best ones, too, which are chosen where a host refuses those. */
const WAYS = [
  { way: 'the best hooks', receiver: '{raw_syscalls: true}', hook: /security_file_open/ },
  ...(process.env['WEIR_TEST_KERNELS'] === undefined
    ? []
    : [
        {
          way: 'kprobes',
          receiver: '{raw_syscalls: true, avoid_hooks: [fentry]}',
          hook: /^kprobe\/security_file_open/,
        },
      ]),
]
const RUNS = kernelsToTest().flatMap((kernel) => WAYS.map((way) => ({ kernel, ...way })))

for (const { kernel, way, receiver, hook: wanted } of RUNS) {
  const command = `node test/ebpf/kit/run-actions.ts --receiver '${receiver}' --report /results/report.json`
  suite(`actions on kernel ${kernel} by ${way}`, { skip: noMachine(kernel), timeout: 330_000 }, () => {
    let run: Run
    let report: Report
    before(
      async () => {
        run = await runInMachine(kernel, command)
        const found = reportOf(run)
        assert(found !== undefined, `no report came home:\n${run.output.slice(-3000)}\n${run.console.slice(-3000)}`)
        report = found
      },
      { timeout: 320_000 },
    )
    after(() => {
      if (report !== undefined) {
        console.log(`${printHooks([report])}\n${printOutcomes(report)}\nThe machine ran for ${run.seconds} s.`)
      }
      run?.remove()
    })

    for (const { id, title } of ACTIONS) {
      test(`${id}: ${title}`, () => {
        const outcome = report.outcomes.find(({ action }) => action === id)
        assert(outcome !== undefined && outcome.found.length > 0, 'it left nothing that was expected')
        assert.deepEqual(outcome.problems, [])
      })
    }

    test('the container is known from its first program, Weir does not see itself, and nothing is lost', () => {
      assert.deepEqual(report.general, [])
    })

    test('functions of the kernel are hooked, by fentry or kprobes', () => {
      const open = report.hooks.find(({ feature }) => feature === 'file.open')
      assert.match(open?.hook ?? '', wanted)
      assert.deepEqual(
        report.hooks.filter(({ hook }) => hook === 'none').map(({ feature }) => feature),
        [],
        'every feature has a hook here',
      )
    })
  })
}
