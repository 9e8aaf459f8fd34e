/**
 * Watching a kernel that has just taken over, from outside of it: by what it says of itself and by calls made through
 * the switchboard like any other. `run.ts` goes back to the kernel before when this finds it sick.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { KernelHealth, KernelPort, Switchboard } from '../contracts/kernel-port.ts'
import type { Clock } from '../contracts/seams.ts'
import { coded, reasonOf, toErrorData } from './errors.ts'
import { within } from './within.ts'

export const PROBATION_MS = 60_000
const LOOK_MS = 250
const ANSWER_MS = 1_000
/** late errors nobody but the kernel can be blamed for */
const FAULTS_MAX = 3
/** looks that make the window over which failed calls are counted: a second */
const WINDOW_LOOKS = 4
const CALLS_MIN = 20
/** share of calls that fail, above the share before */
const FAILED_SHARE = 0.5

export interface ProbationOptions {
  clock: Clock
  kernel: KernelPort
  switchboard: Switchboard
  probation_ms: number
  /** asked before each look: the system stops, or yet another kernel has taken over */
  over(): boolean
}

/** How long a kernel is watched, from the environment. */
export function probationTime(env: NodeJS.ProcessEnv): number {
  const ms = Number(env['MM_PROBATION_MS'] ?? PROBATION_MS)
  return Number.isFinite(ms) && ms >= 0 ? ms : PROBATION_MS
}

/** Resolves with why it is sick, or with undefined when it is confirmed or `over`. Never rejects. */
export async function watchKernel(options: ProbationOptions): Promise<ErrorData | undefined> {
  const { clock, probation_ms, over } = options
  let until = clock.monotonic() + probation_ms
  const readings: KernelHealth[] = []
  try {
    while (clock.monotonic() < until && !over()) {
      const since = clock.monotonic()
      const reading = await reads(options)
      if (reading !== undefined) readings.push(reading)
      const reason = troubleIn(readings)
      if (reason !== undefined) throw coded('kernel_unwell', { reason })
      if (readings.length > WINDOW_LOOKS + 1) readings.splice(1, 1)
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve, { ref: false }))
      // Only time in which it was looked at counts.
      if (reading === undefined) until += clock.monotonic() - since
    }
    return undefined
  } catch (thrown) {
    if (over()) return undefined
    return toErrorData(thrown)
  }
}

/** Nothing while it hands over: another kernel runs then, and nobody could go back without it. */
async function reads(options: ProbationOptions): Promise<KernelHealth | undefined> {
  const { switchboard } = options
  if (switchboard.handingOver) return undefined
  try {
    const reading = await look(options)
    return switchboard.handingOver ? undefined : reading
  } catch (thrown) {
    if (switchboard.handingOver) return undefined
    throw thrown
  }
}

/** One reading and one call. Throws when either does not come or is no good. */
async function look({ clock, kernel, switchboard }: ProbationOptions): Promise<KernelHealth> {
  const unwell = (reason: string): Error => coded('kernel_unwell', { reason })
  const late = (): Error => unwell(`no answer within ${ANSWER_MS} ms`)
  try {
    const health = await within(clock, ANSWER_MS, Promise.resolve(kernel.health()), late)
    if (!health.ok) throw unwell(health.reason ?? 'it does not say why')
    const route = switchboard.routes.get('kernel')?.aspects.get('default')
    if (route === undefined || switchboard.calls === undefined) throw unwell('it has installed no way to call it')
    await within(clock, ANSWER_MS, switchboard.calls.invoke(route, 'status', undefined, []), late)
    return health
  } catch (thrown) {
    throw (thrown as { code?: unknown }).code === 'kernel_unwell' ? thrown : unwell(reasonOf(thrown))
  }
}

/** Pure. The first reading is the one from right after the switch; the others are those of the window. */
export function troubleIn(readings: readonly KernelHealth[]): string | undefined {
  const [first, ...others] = readings
  const last = others.at(-1)
  const from = others[0] ?? first
  if (first === undefined || last === undefined || from === undefined) return undefined
  const faults = last.unattributed_faults - first.unattributed_faults
  if (faults >= FAULTS_MAX) return `${faults} late errors of the kernel itself`
  const before = first.calls === 0 ? 0 : first.failed_calls / first.calls
  const base = others.length > WINDOW_LOOKS ? from : first
  const calls = last.calls - base.calls
  const failed = last.failed_calls - base.failed_calls
  // A call that was refused may not have been counted as one.
  const all = Math.max(calls, failed)
  if (all >= CALLS_MIN && failed / all >= before + FAILED_SHARE)
    return `${failed} of ${all} calls failed within a second`
  return undefined
}
