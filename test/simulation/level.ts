/**
 * Random sequences of changes to files, half of which nobody is told of: a sweep later the kernel wants what a cold boot
 * on the same files wants, with the same errors, and runs it where it can be used. Used by the gate and the nightly run.
 */
import type { DesiredService } from '../../modules/contracts/state.ts'
import { LIMITS } from '../../modules/kernel/limits.ts'
import { random } from '../support/load.ts'
import { check } from './checker.ts'
import { Files } from './files.ts'
import { loadKernel, type KernelMaker } from './kernel-copy.ts'
import { comeToRest } from './rest.ts'
import { stop } from './run.ts'
import { World } from './world.ts'

const HABITS = { broken: 0.15, wrong: 0.25, halves: 0.25, richness: 0.3 }
const CHANGES_MAX = 12
/** what a change has scheduled itself (a file that comes back) */
const AFTERMATH_MS = 2_100
/** one sweep, and a file that is empty at first */
const SWEEP_MS = LIMITS.sweep_ms + LIMITS.file_grace_ms + 50

/** What this kernel wants, and what it says is wrong with the configs, as text. */
function wishes(world: World): string[] {
  const { services } = world.kernel.reconciler.wanted.desired
  const asked = [...services.values()].map(({ api, hash, file }: DesiredService) => `${api} ${hash} ${file}`)
  const errors = world.kernel.status().config_errors.map((error) => JSON.stringify(error))
  return [...asked.sort(), ...errors.sort()]
}

/** What was wrong; empty when nothing was. */
export async function runSequence(Kernel: KernelMaker, seed: number): Promise<string[]> {
  const draw = random(seed)
  const hearing = { lost: 0.5, doubled: 0.2, late_ms_max: 400 }
  const world = new World({ Kernel, random: random(draw.between(1, 2 ** 30)), hearing })
  const files = new Files(world, random(draw.between(1, 2 ** 30)), HABITS)
  files.begin()
  await world.boot()
  for (let left = draw.between(1, CHANGES_MAX); left > 0; left--) {
    world.record({ kind: 'did', what: draw.next() < 0.1 ? files.checkout() : files.one() })
    await world.clock.advance(draw.between(0, 300))
  }
  await world.clock.advance(AFTERMATH_MS)
  await world.clock.advance(SWEEP_MS)
  const cold = new World({ Kernel, random: random(1), hearing, from: world.fs })
  await cold.boot()
  const [hot, fresh] = [wishes(world), wishes(cold)]
  const wrong = hot
    .filter((line) => !fresh.includes(line))
    .concat(fresh.filter((line) => !hot.includes(line)))
    .map((line) => `seed ${seed}: a cold boot does not agree on ${line}`)
  await comeToRest(world)
  await stop(world)
  await stop(cold)
  return [...wrong, ...check(world.history.entries).map((line) => `seed ${seed}: ${line}`)]
}

export async function runSequences(seeds: readonly number[]): Promise<string[]> {
  const { Kernel, dispose } = await loadKernel()
  const wrong: string[] = []
  for (const seed of seeds) wrong.push(...(await runSequence(Kernel, seed)))
  dispose()
  return wrong
}
