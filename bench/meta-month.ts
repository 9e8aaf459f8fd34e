/**
 * How fast a month goes by: thirty simulated days of the control plane on a simulated clock, with the work, the faults and
 * the people of `test/simulation/month/`. Goal: less than 60 s. Run: npm run bench -- meta-month [seed] [days] [seconds of the watch]
 */
import { runMonth } from '../test/simulation/month/run.ts'
import { machine, round, table } from './support.ts'

const SEED = Number(process.argv[2] ?? 1)
const DAYS = Number(process.argv[3] ?? 30)
const WATCH_S = Number(process.argv[4] ?? 300)

const { seconds, cycles, calls, events, ledger_entries, found, proposals, violations, ...rest } = await runMonth(SEED, {
  days: DAYS,
  watch_s: WATCH_S,
})
const cpu = process.cpuUsage()

console.log(`### A month of the meta-loop (${machine()})\n`)
console.log(
  table(
    ['simulated days', 'seconds', 'seconds of CPU', 'cycles', 'calls', 'events', 'entries of the ledger'],
    [[DAYS, seconds, (cpu.user + cpu.system) / 1e6, cycles, calls, events, ledger_entries].map((one) => round(one, 0))],
  ),
)
console.log('\nThe goal for thirty days is less than 60 s.\n')
console.log(
  table(
    ['fault', 'size', 'seen after (min)', 'by'],
    found.map(({ kind, size, after_min, by }) => [kind, round(size), String(after_min), String(by)]),
  ),
)
const { false_proposals, throttled } = rest
console.log(
  `\n${proposals} proposals, ${false_proposals.length} for what was not wrong; ${throttled} attempts refused.`,
)
for (const violation of violations) console.log(`- ${violation}`)
