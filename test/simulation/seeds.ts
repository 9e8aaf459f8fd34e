/** Many seeds, one after the other, and what came of all of them. Used by the gate and the nightly run. */
import { loadKernel, type Mistake } from './kernel-copy.ts'
import { report, runSeed, type SeedResult } from './run.ts'

/** The seeds to run: `count` of them from `first` on, or the one that is to be replayed. */
export function seedsFrom(first: number, count: number): number[] {
  const only = process.env['MM_SEED']
  return only === undefined ? Array.from({ length: count }, (_, at) => first + at) : [Number(only)]
}

export interface SeedsResult {
  seeds: number
  /** what a person needs to see of each seed that failed */
  failed: string[]
  entries: number
  virtual_s: number
  cpu_s: number
}

export async function runSeeds(seeds: readonly number[]): Promise<SeedsResult> {
  const { Kernel, dispose } = await loadKernel()
  const before = process.cpuUsage()
  const all: SeedsResult = { seeds: seeds.length, failed: [], entries: 0, virtual_s: 0, cpu_s: 0 }
  for (const seed of seeds) {
    const result = await runSeed(Kernel, seed)
    all.entries += result.entries.length
    all.virtual_s += result.ms / 1000
    if (result.violations.length > 0) all.failed.push(report(result))
  }
  dispose()
  const { user, system } = process.cpuUsage(before)
  return { ...all, virtual_s: Math.round(all.virtual_s), cpu_s: Math.round((user + system) / 1e6) }
}

/** The first seed by which a kernel with this mistake is found out; undefined when none of them does. */
export async function findOut(mistake: Mistake, seeds: readonly number[]): Promise<SeedResult | undefined> {
  const { Kernel, dispose } = await loadKernel(mistake)
  try {
    for (const seed of seeds) {
      const result = await runSeed(Kernel, seed)
      if (result.violations.length > 0) return result
    }
    return undefined
  } finally {
    dispose()
  }
}
