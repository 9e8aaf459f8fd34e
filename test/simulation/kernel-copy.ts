/**
 * The kernel as a simulation runs it: its own sources through the real loader, or a copy of them with one mistake put
 * in. Nothing of it is substituted but what `KernelOptions` names.
 */
import { join } from 'node:path'
import type { ReloadResult } from '../../modules/contracts/kernel.ts'
import type { KernelOptions, KernelPort } from '../../modules/contracts/kernel-port.ts'
import type { MachineEvent } from '../../modules/contracts/module.ts'
import type { FileSystem } from '../../modules/contracts/seams.ts'
import type { CallerRecord, DesiredService, HandleRecord, ServiceRecord } from '../../modules/contracts/state.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { packageRoot } from '../support/root.ts'

/** What a simulation reaches inside a kernel: to look, never to change. */
export interface KernelInside extends KernelPort {
  readonly services: ReadonlyMap<string, ServiceRecord>
  readonly events: { on(pattern: string, callback: (event: MachineEvent) => void): () => void }
  readonly calls: { handleFor(caller: CallerRecord, api: string, aspect: string): HandleRecord }
  readonly reconciler: { readonly wanted: { readonly desired: { services: ReadonlyMap<string, DesiredService> } } }
  reload(api: string): Promise<ReloadResult>
  readPrompt(path: string): unknown
}

export type KernelMaker = new (options: KernelOptions) => KernelInside

/** One text in one file that is replaced; it must stand there exactly once. */
export interface Mistake {
  name: string
  file: string
  text: string
  instead: string
}

export async function loadKernel(mistake?: Mistake): Promise<{ Kernel: KernelMaker; dispose: () => void }> {
  const fs = mistake === undefined ? realFileSystem : withMistake(mistake)
  const loader = new ModuleLoader({ root: packageRoot, packageRoot, fs, clock: realClock, fault: () => undefined })
  const scan = loader.scan(join(packageRoot, 'modules', 'kernel', 'kernel.ts'))
  const evaluated = await loader.evaluate(scan, { service: 'kernel', generation: 0 }, { evaluate_ms: 60_000 })
  const { Kernel } = evaluated.exports as { Kernel: KernelMaker }
  return {
    Kernel,
    dispose: () => {
      evaluated.release()
      loader.dispose()
    },
  }
}

function withMistake({ name, file, text, instead }: Mistake): FileSystem {
  const path = join(packageRoot, file)
  const source = realFileSystem.read(path) ?? ''
  const places = source.split(text).length - 1
  if (places !== 1) throw new Error(`${name}: ${file} has ${places} times \`${text}\`: plant the mistake anew`)
  const changed = source.replace(text, () => instead)
  return { ...realFileSystem, read: (asked) => (asked === path ? changed : realFileSystem.read(asked)) }
}
