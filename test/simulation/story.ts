/** A short story in a simulated system: what a seed once found, told by hand. Each ends at rest and breaks no rule. */
import { random } from '../support/load.ts'
import { check } from './checker.ts'
import type { Dated } from './history.ts'
import { loadKernel, type KernelMaker } from './kernel-copy.ts'
import type { MemoryFileSystem } from './memory-fs.ts'
import { comeToRest } from './rest.ts'
import { stop } from './run.ts'
import { EMPTY, writeSpec, type Spec } from './spec.ts'
import { at, World } from './world.ts'

let made = 0

/** The text of a module; each one is another. */
export const moduleText = (spec: Partial<Spec> = {}): string => writeSpec({ ...EMPTY, module: ++made, ...spec })

let kernels: Promise<{ Kernel: KernelMaker }> | undefined

/** `lost`: the share of hints that never come. */
export async function begin(
  files: Record<string, string>,
  lost = 0,
  fault?: MemoryFileSystem['fault'],
): Promise<World> {
  kernels ??= loadKernel()
  const { Kernel } = await kernels
  const world = new World({ Kernel, random: random(1), hearing: { lost, doubled: 0, late_ms_max: 0 } })
  for (const [path, text] of Object.entries(files)) world.fs.put(at(path), text)
  world.fs.fault = fault
  await world.boot()
  await world.clock.advance(100)
  return world
}

/** What the rules say when everything has come to rest and has been stopped. */
export async function end(world: World): Promise<string[]> {
  world.fs.fault = undefined
  world.loader.fault = undefined
  await comeToRest(world)
  await stop(world)
  return check(world.history.entries)
}

export const events = (world: World, type: string, api: string): Extract<Dated, { kind: 'machine' }>[] =>
  world.history.entries.filter(
    (entry): entry is Extract<Dated, { kind: 'machine' }> =>
      entry.kind === 'machine' && entry.type === type && entry.api === api,
  )

export const liveNumber = (world: World, api: string): number | undefined =>
  world.kernel.services.get(api)?.live?.number
