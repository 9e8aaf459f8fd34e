/**
 * Which kernel runs, as the bootloader sees it: the newest that starts, then each that takes over, watched for a while
 * and gone back from when it is sick. Two functions, called once by `run.ts`.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { KernelSource } from '../contracts/kernel.ts'
import type { KernelPort, NextKernel } from '../contracts/kernel-port.ts'
import type { FileSystem } from '../contracts/seams.ts'
import { coded, describeError, reasonOf, toErrorData } from './errors.ts'
import { findKernel, loadKernel, type FoundKernel, type KernelWorld } from './kernel-source.ts'
import { beginTrial, endTrial, readTrial, refusedBefore, refuseOnDisk } from './kernel-trial.ts'
import { findMetaFiles, type MetaFile } from './meta-files.ts'
import { watchKernel } from './probation.ts'
import { shownPath } from './shown-path.ts'
import { stateLeft } from './state-left.ts'
import { within } from './within.ts'

/** Everything a kernel is built from; `fallbacks` is filled here. */
export type World = Omit<KernelWorld, 'fallbacks'> & { fallbacks: ErrorData[] }

/** Newest first; each that fails is named with its reason, and the next is tried. Those refused before come last. */
export async function launchKernel(world: World, boot_ms: number): Promise<NextKernel> {
  const { root, fs } = world
  const metas = listMetas(root, fs)
  if (metas.length === 0) throw coded('no_meta', { root })
  const crashed = takeInTrial(world)
  const lastResort: FoundKernel[] = []
  const reasons: string[] = []
  const failed = (path: string, error: ErrorData, stack?: string): void => {
    reasons.push(`${path}: ${note(world, path, error, stack)}`)
  }
  for (const { path } of metas) {
    try {
      const found = findKernel(world, path)
      const refused = crashed?.of(found.source) ?? refusedBefore(fs, root, found.source)
      if (refused === undefined) return await startKernel(world, found, boot_ms)
      lastResort.push(found)
      failed(path, refused)
    } catch (thrown) {
      failed(path, toErrorData(thrown), (thrown as Error).stack)
    }
  }
  for (const found of lastResort) {
    try {
      return await startKernel(world, found, boot_ms)
    } catch (thrown) {
      failed(found.source.meta_file, toErrorData(thrown), (thrown as Error).stack)
    }
  }
  throw coded('no_kernel', { reason: reasons.join('; ') })
}

function listMetas(root: string, fs: FileSystem): MetaFile[] {
  try {
    return findMetaFiles(root, fs)
  } catch (thrown) {
    throw coded('file_failed', { path: 'configs', reason: reasonOf(thrown) }, { file: 'configs' }, thrown)
  }
}

/** Returns what was told. */
function note({ root, log, fallbacks }: World, path: string, error: ErrorData, stack?: string): string {
  const placed = { ...error, file: shownPath(root, error.file ?? path) }
  fallbacks.push(placed)
  const told = describeError(placed)
  log.warn(`${path} does not start: ${told}`, { code: error.code, stack })
  return told
}

/**
 * A kernel that was on probation when the process ended is not started again by itself: also not where that cannot be
 * written down, and then the note stays for the next start.
 */
function takeInTrial({ root, fs, log }: World): { of(source: KernelSource): ErrorData | undefined } | undefined {
  const crashed = readTrial(fs, root)
  if (crashed === undefined) return undefined
  const error = toErrorData(coded('kernel_crashed', { version: crashed.version }, { file: crashed.meta_file }))
  try {
    refuseOnDisk(fs, root, crashed, error)
    endTrial(fs, root)
  } catch (thrown) {
    log.warn(`that kernel ${crashed.version} is refused cannot be written down: ${reasonOf(thrown)}`)
  }
  const keys = ['meta_file', 'config_hash', 'source_key'] as const
  return { of: (source) => (keys.every((key) => source[key] === crashed[key]) ? error : undefined) }
}

async function startKernel(world: World, found: FoundKernel, boot_ms: number): Promise<NextKernel> {
  const next = await loadKernel(world, found, 0, boot_ms)
  const { kernel, release } = next
  const { meta_file: file } = found.source
  try {
    const late = (): Error => coded('kernel_boot_timeout', { ms: boot_ms }, { file })
    await within(world.clock, boot_ms, Promise.resolve(kernel.boot()), late)
  } catch (thrown) {
    void kernel.stop('it did not boot', 0).catch(() => undefined)
    release()
    throw thrown
  }
  world.log.info(`kernel ${kernel.version} from ${file}${world.fallbacks.length === 0 ? '' : ' (fallback)'}`)
  return next
}

/** Resolves when the system has stopped. `onKernel` is told who runs. */
export async function superviseKernels(
  world: World,
  first: NextKernel,
  probation_ms: number,
  onKernel: (kernel: KernelPort) => void,
): Promise<void> {
  let current = first
  /** The kernels to go back to, paused, while the current one is on probation: the last confirmed one, and the one before. */
  let before: NextKernel[] = []
  for (;;) {
    onKernel(current.kernel)
    const ended = current.kernel.waitForShutdown()
    const previous = before.at(-1)
    if (previous !== undefined) {
      const verdict = await probation(world, current.kernel, ended, probation_ms)
      // It has begun to hand over since it was looked at: another one runs by now.
      if (verdict.kind === 'sick' && world.switchboard.handingOver) continue
      // A system that stops ends with the kernel that was told to: nobody takes it back.
      if (verdict.kind === 'sick' && current.given?.events.closed !== true) {
        goBack(world, current, previous, verdict.error)
        before.pop()
        current = previous
        if (before.length > 0) tryAgain(world, current)
        continue
      }
      if (verdict.kind === 'confirmed') {
        for (const one of before) one.release()
        before = []
        endTrial(world.fs, world.root)
        world.log.info(`kernel ${current.kernel.version} is confirmed`)
      }
    }
    const next = await ended
    const [confirmed = current, ...others] = before
    for (const one of next === null ? before : others) one.release()
    if (next === null) return
    before = confirmed === current ? [current] : [confirmed, current]
    current = next
  }
}

/** It was on probation itself when it was replaced, and is again. */
function tryAgain({ fs, root, log }: World, { source }: NextKernel): void {
  try {
    beginTrial(fs, root, source)
  } catch (thrown) {
    log.warn(`that kernel ${source.version} is on probation cannot be written down: ${reasonOf(thrown)}`)
  }
}

type Verdict = { kind: 'sick'; error: ErrorData } | { kind: 'confirmed' } | { kind: 'ended' }

async function probation(
  { clock, switchboard }: World,
  kernel: KernelPort,
  ended: Promise<unknown>,
  probation_ms: number,
): Promise<Verdict> {
  let over = false
  switchboard.probation = true
  const watched = watchKernel({ clock, kernel, switchboard, probation_ms, over: () => over })
  const verdict = await Promise.race([
    watched.then((error): Verdict => (error === undefined ? { kind: 'confirmed' } : { kind: 'sick', error })),
    ended.then((): Verdict => ({ kind: 'ended' })),
  ])
  over = true
  switchboard.probation = false
  return verdict
}

/** The kernel before serves again, with everything as the sick one left it, or as that one was given it. */
function goBack({ fs, root, log }: World, current: NextKernel, previous: NextKernel, error: ErrorData): void {
  const state = stateLeft(current.kernel, current.given, previous.kernel.reads, (message) => log.warn(message))
  endTrial(fs, root)
  if (state === undefined) return
  void previous.kernel.adopt(state).catch((thrown: unknown) => log.error(`going back: ${reasonOf(thrown)}`))
  previous.kernel.refuseKernel(current.source, error)
  current.release()
}
