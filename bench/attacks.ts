/**
 * The corpus of attacks, for its figures: what the system felt of it, and how long a killed guest is away. The verdicts are
 * tested elsewhere (`test/gate/attacks.test.ts`). Run: npm run bench -- attacks [id…]
 */
import { runAttacks } from '../test/attacks/run.ts'
import { machine, percentile, round, table } from './support.ts'

const { verdicts, measured } = await runAttacks(process.argv.slice(2))
const rebuilt = verdicts.flatMap(({ rebuilt_ms }) => (rebuilt_ms === null ? [] : [rebuilt_ms]))
const rows = [
  ['attacks, and those that ended as declared', `${verdicts.length}, ${verdicts.filter(({ ok }) => ok).length}`],
  ["calls to a neighbor's process, and those that failed", `${measured.beats}, ${measured.failed_beats}`],
  [
    'event-loop delay of the kernel, p99 and most (ms)',
    `${round(measured.loop_delay_p99_ms, 0)}, ${round(measured.loop_delay_max_ms, 0)}`,
  ],
  ["most that the kernel's memory grew in one (MB)", String(Math.max(...verdicts.map((one) => one.rss_growth_mb)))],
  [
    'from the end of a guest to the first good answer, p50, p95 and most (ms)',
    [0.5, 0.95, 1].map((share) => round(percentile(rebuilt, share), 0)).join(', '),
  ],
]
console.log(`### Attacks\n\n${machine()}\n`)
console.log(table(['what', 'figure'], rows))
