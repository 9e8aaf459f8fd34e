/**
 * One story told again and again: each time another call to the disk or to the loader fails, from the first to the last,
 * once or for a while. Nothing may break, every refusal has a code, and all is as it should be when the fault is over.
 */
import { coded, codeOf } from '../../modules/lib/errors.ts'
import { random } from '../support/load.ts'
import { check } from './checker.ts'
import type { KernelMaker } from './kernel-copy.ts'
import { KERNEL_FILE, writeKernel } from './kernels.ts'
import { diskError } from './memory-fs.ts'
import { comeToRest } from './rest.ts'
import { stop } from './run.ts'
import { moduleText } from './story.ts'
import { at, World } from './world.ts'

export type Scene = 'boot' | 'reload' | 'swap'

/** How long the disk stays as it is from the N-th call on; 0: one call. */
export const FAULTS_MS = [0, 2_500] as const

const FILES: Readonly<Record<string, string>> = {
  '.git/HEAD': '',
  'configs/meta-v1.0.0.yml': 'prog: kernel\ndefaults: {size: 3}\n',
  'configs/a.yml': 'level: 1\n',
  'configs/b.yml': 'needs: [a]\n',
  'configs/sub/c.yml': 'prog: c\n',
  'modules/a.ts': moduleText({ use: ['shared.ts'], state: true, schema: true }),
  'modules/b.ts': moduleText({ use: ['shared.ts'], run_ms: 90 }),
  'modules/c.ts': moduleText({ mode: 'exclusive', state: true, holds: 'port' }),
  'modules/shared.ts': 'helper 1\n',
  'prompts/p.md': 'one',
}

const CHANGES: Readonly<Record<string, string>> = {
  'configs/a.yml': 'level: 2\nsize: 4\n',
  'configs/meta-v1.0.0.yml': 'prog: kernel\ndefaults: {size: 5}\n',
  'modules/shared.ts': 'helper 2\n',
  'modules/c.ts': moduleText({ mode: 'exclusive', state: true, holds: 'port' }),
  'prompts/p.md': 'two',
}

/** What the scene does once everything runs. */
async function play(scene: Scene, world: World): Promise<void> {
  world.callFrom('one', 'a', 'add', [40])
  if (scene === 'swap') {
    world.fs.replace(at(KERNEL_FILE), writeKernel(1))
    await world.clock.advance(2_000)
    world.fs.put(at('configs/meta-v1.1.0.yml'), 'prog: kernel\n')
    await world.clock.advance(2_000)
    return
  }
  try {
    world.kernel.readPrompt(at('prompts/p.md'))
  } catch (thrown) {
    if (codeOf(thrown) !== 'file_failed') world.broke(`a prompt: ${String(thrown)}`)
  }
  for (const [path, text] of Object.entries(CHANGES)) world.fs.replace(at(path), text)
  await world.clock.advance(1_500)
  for (const what of ['reload', 'rollback', 'undo']) {
    world.askFrom('two', what, 'a')
    await world.clock.advance(300)
  }
  world.fs.delete(at('configs/sub/c.yml'))
  await world.clock.advance(1_500)
}

/** Nothing runs then, and the process ends with the reason: the next start is another. */
const MAY_NOT_START = new Set(['no_kernel', 'no_meta', 'file_failed'])

export interface Told {
  /** calls to the disk and the loader from the beginning of the scene to its end */
  calls: number
  wrong: string[]
}

/** `failing` is the number of the call that fails, from 1; 0: none. */
export async function tell(Kernel: KernelMaker, scene: Scene, failing: number, fault_ms: number): Promise<Told> {
  const world = new World({ Kernel, random: random(1), hearing: { lost: 0, doubled: 0, late_ms_max: 0 } })
  for (const [path, text] of Object.entries(FILES)) world.fs.put(at(path), text)
  const wrong: string[] = []
  if (scene !== 'boot') await start(world)
  const counter = failAt(world, failing, fault_ms)
  if (scene === 'boot') {
    await start(world).catch(async (thrown: unknown) => {
      const code = codeOf(thrown) ?? 'none'
      if (!MAY_NOT_START.has(code)) wrong.push(`the start failed with ${String(thrown)}`)
      counter.lift()
      await start(world)
    })
    await world.clock.advance(2_000)
  } else await play(scene, world)
  counter.lift()
  await comeToRest(world)
  await stop(world)
  return { calls: counter.calls, wrong: [...wrong, ...check(world.history.entries)] }
}

async function start(world: World): Promise<void> {
  await world.boot()
  await world.clock.advance(1_500)
}

/** Counts the calls, and lets those fail that are to. */
function failAt(world: World, failing: number, ms: number): { readonly calls: number; lift(): void } {
  let calls = 0
  let until = Number.NEGATIVE_INFINITY
  const fails = (): boolean => {
    if (++calls === failing) until = world.clock.monotonic() + ms
    return calls === failing || world.clock.monotonic() < until
  }
  world.fs.fault = (call) => (fails() ? diskError('EIO', call) : undefined)
  world.loader.fault = (path) => (fails() ? coded('file_failed', { path, reason: 'EIO' }, { file: path }) : undefined)
  return {
    get calls() {
      return calls
    },
    lift: () => {
      world.fs.fault = undefined
      world.loader.fault = undefined
    },
  }
}
