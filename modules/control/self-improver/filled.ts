/**
 * Both versions with their background work, used until they hold much: the calls as recorded, and then with more and more
 * that was never there before. Once a gate; `hand_over` and `endurance` go on from there.
 */
import type { Call, Working } from './bench.ts'
import type { SubjectInput } from './check.ts'
import { freshened } from './made-calls.ts'
import { runBoth, type TimedCall } from './probe.ts'

const CALLS = 600
const EACH_MS = 3
/** So long the background goes on with what was asked for. */
const SETTLE_MS = 120

export function filled(input: SubjectInput): Promise<Working> {
  const { bench } = input
  const filling = async (): Promise<Working> => {
    const pair = await bench.working()
    await fill(input, pair)
    return pair
  }
  return (bench.filled ??= filling())
}

export async function fill({ bench, kernel, config }: SubjectInput, { was, is, first }: Working): Promise<void> {
  const calls = fillOf(await bench.rows())
  const [one, other] = first === 'was' ? [was, is] : [is, was]
  await runBoth(one, other, calls, { cpu_ms: config.hand_over_cpu_ms })
  await kernel.sleep(SETTLE_MS)
}

export function fillOf(rows: readonly TimedCall[]): TimedCall[] {
  const from = rows.at(-1)?.at ?? 0
  return Array.from({ length: rows.length === 0 ? 0 : Math.max(CALLS, rows.length) }, (_, index) => {
    const { aspect, method, args } = rows[index % rows.length] as Call
    const isOld = index < rows.length || index % 3 === 0
    return { aspect, method, args: isOld ? args : freshened(args, index), at: from + index * EACH_MS }
  })
}
