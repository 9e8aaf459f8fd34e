/**
 * One seed, from an empty root to the end of its system, and what the checker says of it. A seed that fails is replayed
 * with `MM_SEED=N npm run test:gate -- simulation` (or `npm run test:nightly -- --seed N simulation`): the same steps in
 * the same order on any machine, and the whole history is printed. What a seed found is told again as a short story in
 * `found.test.ts` or `found-swaps.test.ts`.
 */
import { reasonOf } from '../../modules/lib/errors.ts'
import { random } from '../support/load.ts'
import { check } from './checker.ts'
import { printed, type Dated } from './history.ts'
import type { KernelMaker } from './kernel-copy.ts'
import { Operations, temperOf } from './operations.ts'
import { comeToRest } from './rest.ts'
import type { Hearing } from './watcher.ts'
import { World } from './world.ts'

export const STEPS = 200
const STOP_MS = 10_000
const AFTER_STOP_MS = 120_000

export interface SeedResult {
  seed: number
  hash: string
  violations: string[]
  entries: readonly Dated[]
  /** virtual milliseconds */
  ms: number
}

export async function runSeed(Kernel: KernelMaker, seed: number, steps = STEPS): Promise<SeedResult> {
  const draw = random(seed)
  const temper = temperOf(draw)
  const pick = (...values: number[]): number => values[draw.between(0, values.length - 1)] as number
  const hearing: Hearing = { lost: pick(0, 0.1, 0.5, 1), doubled: pick(0, 0.3), late_ms_max: pick(0, 5, 400) }
  const world = new World({ Kernel, random: random(draw.between(1, 2 ** 30)), hearing })
  const unhandled = (thrown: unknown): void => world.broke(`nobody handles ${String((thrown as Error).stack)}`)
  process.on('unhandledRejection', unhandled)
  try {
    const operations = new Operations(world, random(draw.between(1, 2 ** 30)), temper)
    operations.files.begin()
    await world.boot()
    for (let step = 0; step < steps; step++) await operations.step()
    operations.calm()
    await comeToRest(world)
    await stop(world)
  } catch (thrown) {
    world.broke(`the simulation ended: ${reasonOf(thrown)}`)
  } finally {
    process.off('unhandledRejection', unhandled)
  }
  const { entries } = world.history
  return { seed, hash: world.history.hash(), violations: check(entries), entries, ms: world.clock.monotonic() }
}

export async function stop(world: World): Promise<void> {
  let stopped = false
  void world.kernel.stop('the simulation is over', STOP_MS).then(() => (stopped = true))
  await world.clock.advance(AFTER_STOP_MS)
  if (!stopped) world.broke('the kernel did not stop')
  world.record({ kind: 'end', timers: world.clock.armed })
}

/** What a person needs to see of a seed that failed. */
export const report = ({ seed, violations, entries }: SeedResult): string =>
  [
    `seed ${seed}: ${violations.length} violations; replay with MM_SEED=${seed}`,
    ...violations.slice(0, 10),
    ...(process.env['MM_SEED'] === undefined ? [] : ['', printed(entries)]),
  ].join('\n')
