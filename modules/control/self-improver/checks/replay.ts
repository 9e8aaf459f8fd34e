/**
 * Does it answer recorded calls as the version that serves does? Each is made at the time it was made, as far as the clock
 * of the versions tells, so that what depends on it comes out the same.
 */
import { skipped, failed, type ServiceCheck } from '../check.ts'
import { compareCalls } from '../compare.ts'
import { tooWide } from '../declared.ts'

export const replayCheck: ServiceCheck = {
  name: 'replay',
  of: 'service',
  async run(input) {
    const { bench } = input
    if ((await bench.untried()) !== null) return skipped('the version that serves cannot be tried in a sandbox')
    const rows = await bench.rows()
    if (rows.length === 0) return skipped('no calls of it are recorded: nothing says how it is used')
    const wide = tooWide(input.candidate.changes, rows)
    return wide === undefined ? compareCalls(input, rows, false) : failed(wide)
  },
}
