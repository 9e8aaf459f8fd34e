/**
 * What the kernel watches, and who hears of a change: the bell over all folders, the files it knows with the stamps they
 * had, and the parts that look again. Made by `kernel.ts`; a kernel that takes over makes its own.
 */
import { join } from 'node:path'
import type { KernelSwap } from './kernel-swap.ts'
import type { Machine } from './machine.ts'
import type { PromptFiles } from './prompt-files.ts'
import type { Reconciler } from './reconciler.ts'
import { indexLockOf } from './repository.ts'
import { Bell } from './watch.ts'

export interface AttentionOptions {
  machine: Machine
  reconciler: Reconciler
  prompts: PromptFiles
  swap: KernelSwap
  /** the kernel's own meta file may have changed. Must not throw. */
  onMeta(): void
  /** after each sweep. Must not throw. */
  onSwept(): void
}

export class Attention {
  private readonly options: AttentionOptions
  private bell: Bell

  constructor(options: AttentionOptions) {
    this.options = options
    this.bell = this.createBell()
  }

  private createBell(): Bell {
    const { machine, onSwept } = this.options
    const { root, packageRoot, fs, log, watcher } = machine.options
    const own = ['configs', 'modules', 'prompts'].map((folder) => join(root, folder))
    return new Bell({
      fs,
      clock: machine.clock,
      log,
      limits: machine.limits,
      folders: root === packageRoot ? own : [...own, join(packageRoot, 'modules')],
      configs: join(root, 'configs'),
      lock: indexLockOf(root, fs),
      watcher,
      known: () => this.knownFiles(),
      ready: (paths) => this.noticed(paths),
      swept: onSwept,
    })
  }

  start(): void {
    this.bell.start()
  }

  /** After another kernel's: what was written meanwhile shows in the stamps. */
  startAnew(): void {
    this.bell = this.createBell()
    this.bell.start()
    void this.bell.sweep()
  }

  close(): Promise<void> {
    return this.bell.close()
  }

  private *knownFiles(): Iterable<readonly [string, string | undefined]> {
    const { machine, reconciler, prompts, swap } = this.options
    yield* reconciler.wanted.tree.stamps()
    yield* prompts.stamps()
    for (const scan of [swap.scan, ...Array.from(machine.services.values(), (service) => service.scan)]) {
      if (scan === undefined) continue
      yield* scan.stamps
      for (const path of scan.missing) yield [path, undefined]
    }
  }

  private noticed(paths: ReadonlySet<string>): void {
    const { machine, reconciler, prompts, swap, onMeta } = this.options
    if (paths.has(join(machine.options.root, machine.options.metaFile))) onMeta()
    prompts.noticed(paths)
    reconciler.noticed(paths)
    if (this.isKernels(paths)) swap.look()
  }

  private isKernels(paths: ReadonlySet<string>): boolean {
    const { machine, swap } = this.options
    const meta = join(machine.options.root, 'configs', 'meta')
    for (const path of paths) if (path.startsWith(meta) || swap.scan?.files.has(path) === true) return true
    return false
  }
}
