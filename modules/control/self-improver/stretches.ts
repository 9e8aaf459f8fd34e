/**
 * What many calls cost two versions that made the same ones in turns: processor time a call, and memory that stays. Time
 * is that of the processor and compared stretch by stretch, so that a machine with much else to do is in both. Pure.
 */
import type { JsonMap } from '../../contracts/seams.ts'
import { median } from './timings.ts'

export interface Stretch {
  calls: number
  /** Infinity: not measured after this one */
  was_heap_bytes: number
  is_heap_bytes: number
  was_cpu_ms: number
  is_cpu_ms: number
}

interface Found {
  message: string
  details: JsonMap
}

/** The first ones are made by code that is not compiled yet. */
const WARM_UP = 2
const STRETCHES_MIN = 6
/** Below it is the cost of the call itself. */
const CPU_MS_MIN = 0.05
/** Memory that is kept for a while looks like this much. */
const HEAP_BYTES_MIN = 400_000

const GROWN_SHARE_MAX = 0.5

const round = (value: number): number => Math.round(value * 1_000) / 1_000

/** To say what calls cost. */
export const isEnough = (all: readonly Stretch[]): boolean =>
  all.slice(WARM_UP).filter(({ calls }) => calls > 0).length >= STRETCHES_MIN

export function dearer(all: readonly Stretch[], { slower_share_max }: { slower_share_max: number }): Found | undefined {
  const stretches = all.slice(WARM_UP).filter(({ calls }) => calls > 0)
  if (!isEnough(all)) return undefined
  // Whether it is so from the beginning, or in the end.
  for (const some of [stretches, stretches.slice(-Math.ceil(stretches.length / 2))]) {
    const [was, is] = [
      median(some.map(({ was_cpu_ms, calls }) => was_cpu_ms / calls)),
      median(some.map(({ is_cpu_ms, calls }) => is_cpu_ms / calls)),
    ]
    const limit = 1 + slower_share_max
    const share = median(some.map(({ was_cpu_ms, is_cpu_ms }) => is_cpu_ms / Math.max(was_cpu_ms, 0.001)))
    if (is <= was * limit + CPU_MS_MIN || share <= limit) continue
    return {
      message: `a call takes ${round(is)} ms of the processor where the version that serves takes ${round(was)} ms`,
      details: { was_cpu_ms: round(was), is_cpu_ms: round(is) },
    }
  }
  return undefined
}

/**
 * From the second third to the last what is kept should not grow. Where nothing was collected before a stretch was measured,
 * that is only a suspicion, and it is the candidate's growth alone that is looked at.
 */
export function growing(
  stretches: readonly Stretch[],
  { leak_bytes_per_call_max }: { leak_bytes_per_call_max: number },
  isCollected: boolean,
): Found | undefined {
  const third = Math.floor(stretches.length / 3)
  if (third < 2) return undefined
  const calls = stretches.slice(third).reduce((sum, one) => sum + one.calls, 0) / 2
  const grown = (of: (one: Stretch) => number): number => {
    const low = (from: number, to: number): number => Math.min(...stretches.slice(from, to).map(of))
    return low(stretches.length - third, stretches.length) - low(third, 2 * third)
  }
  const [was, is] = [
    Math.max(
      0,
      grown((one) => one.was_heap_bytes),
    ),
    grown((one) => one.is_heap_bytes),
  ]
  const more = isCollected ? is - was : is
  if (!(more >= Math.max(HEAP_BYTES_MIN, leak_bytes_per_call_max * calls, isCollected ? was * GROWN_SHARE_MAX : 0)))
    return undefined
  const [bytes, before] = [Math.round(is / calls), Math.round(was / calls)]
  return {
    message: `its memory grows by ${bytes} bytes a call (${before} before): bound what it keeps`,
    details: { bytes_per_call: bytes, was: before },
  }
}
