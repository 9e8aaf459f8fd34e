/**
 * The bootloader. Finds the newest kernel that starts, hands it the root, and waits until it ends. It owns what
 * outlives a kernel: the loader, the switchboard, the process's own error handlers, and the FREEZE flag.
 * Small and stable: changing this file, the loader, the switchboard or the watchdog is the only change that needs a restart.
 */
import { join, resolve } from 'node:path'
import type { ErrorData } from './modules/contracts/errors.ts'
import type { CheckReport, KernelClass, KernelPort, Switchboard } from './modules/contracts/kernel.ts'
import type { Clock, ContentCache, FaultListener, FileSystem, Log } from './modules/contracts/seams.ts'
import { realClock } from './modules/lib/clock.ts'
import { coded, describeError, reasonOf, toErrorData } from './modules/lib/errors.ts'
import { realFileSystem } from './modules/lib/file-system.ts'
import { takeLock } from './modules/lib/lock.ts'
import { createLog } from './modules/lib/log.ts'
import { findMetaFiles, readMeta, type MetaFile } from './modules/lib/meta-files.ts'
import { shownPath } from './modules/lib/shown-path.ts'
import { STALL_FILE } from './modules/lib/stall.ts'
import { createSwitchboard } from './modules/lib/switchboard.ts'
import { stallLimit, Watchdog, WATCHDOG_THREAD } from './modules/lib/watchdog.ts'
import { within } from './modules/lib/within.ts'
import { ModuleLoader } from './modules/loader/loader.ts'
import { Pack } from './modules/loader/pack.ts'
import { threadUrl } from './modules/loader/thread.ts'

const KERNEL_BOOT_MS = 10_000
const STOP_MS = 10_000
const FREEZE_CHECK_MS = 1_000
const packageRoot = import.meta.dirname.endsWith('dist') ? resolve(import.meta.dirname, '..') : import.meta.dirname

interface World {
  root: string
  safe: boolean
  loader: ModuleLoader
  switchboard: Switchboard
  clock: Clock
  fs: FileSystem
  log: Log
  cache?: ContentCache
  pulse?: Watchdog | undefined
}

/** Runs the system of a root until it ends. Resolves with the exit code. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<number> {
  const at = argv.indexOf('--root')
  const root = resolve(at >= 0 ? (argv[at + 1] ?? '.') : '.')
  if (argv.includes('--check')) return checkOnly(root)
  if (argv.includes('--child') && !process.connected) return 1 // its parent was killed before it began
  let unlock: () => void
  try {
    unlock = claimRoot(root)
  } catch (thrown) {
    return refuseRoot(thrown)
  }
  const log = createLog({
    file: join(root, 'runtime', 'logs', 'mm.log'),
    terminal: process.stdout,
    level: process.env['LOG_LEVEL'] ?? 'info',
    color: process.env['MM_COLOR'] === '1',
  })
  let kernel: KernelPort | undefined
  const fault = (thrown: unknown, kind: 'exception' | 'rejection'): void => {
    if (kernel === undefined)
      log.error(`before a kernel runs: ${describeError(toErrorData(thrown))}`, {
        stack: String((thrown as Error)?.stack),
      })
    else kernel.fault(thrown, kind)
  }
  process.on('uncaughtException', (thrown) => fault(thrown, 'exception'))
  process.on('unhandledRejection', (thrown) => fault(thrown, 'rejection'))

  const cache = new Pack({ clock: realClock, fs: realFileSystem, path: join(root, 'runtime', 'cache', 'work.pack') })
  const world = createWorld({
    root,
    safe: argv.includes('--safe'),
    log,
    cache,
    fault: (thrown, owner) => kernel?.fault(thrown, 'exception', owner),
  })
  world.pulse = watchStalls(world)
  const unfreeze = watchFreeze(world)
  const stop = stopOnRequest(() => kernel)
  try {
    kernel = await launchKernel(world)
    process.send?.({ type: 'booted', version: kernel.version })
    void kernel.settled().then(() => {
      process.send?.({ type: 'settled', status: kernel?.status() })
      void keepWork(cache, log)
    })
    await kernel.waitForShutdown()
    await keepWork(cache, log)
    return 0
  } catch (thrown) {
    const error = toErrorData(thrown)
    log.error(`${describeError(error)}. ${error.hint}`, { code: error.code })
    return 1
  } finally {
    unfreeze()
    stop()
    world.pulse?.stop()
    unlock()
  }
}

type WorldOptions = Pick<World, 'root' | 'safe' | 'log' | 'cache'> & { fault: FaultListener }

function createWorld({ fault, ...options }: WorldOptions): World {
  const seams = { clock: realClock, fs: realFileSystem }
  const { root, cache } = options
  const loader = new ModuleLoader({ root, packageRoot, ...seams, fault, ...(cache === undefined ? {} : { cache }) })
  return { ...options, ...seams, switchboard: createSwitchboard(), loader }
}

/** For the next start. */
async function keepWork(cache: Pack, log: Log): Promise<void> {
  try {
    await cache.save()
  } catch (thrown) {
    log.warn(`the next start will be slower: ${reasonOf(thrown)}`)
  }
}

/** What is wrong in a root, as JSON on stdout: nothing is started, and a running system is not disturbed. */
export async function checkOnly(root: string): Promise<number> {
  const silent = (): void => {}
  const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log }
  const world = createWorld({ root, safe: false, log, fault: silent })
  let report: CheckReport
  try {
    const [newest] = findMetaFiles(root, world.fs)
    if (newest === undefined) throw coded('no_meta', { root })
    report = await (await loadKernel(world, newest)).kernel.check()
  } catch (thrown) {
    report = { services: 0, errors: [toErrorData(thrown)] }
  }
  for (const error of report.errors) if (error.file !== undefined) error.file = shownPath(root, error.file)
  process.stdout.write(`${JSON.stringify(report)}\n`)
  return report.errors.length === 0 ? 0 : 1
}

/** Returns what gives the root back. Under a parent the lock is the parent's. */
function claimRoot(root: string): () => void {
  if (realFileSystem.stat(join(root, 'configs'))?.kind !== 'folder') {
    throw coded('root_missing', { root, part: 'configs/' })
  }
  return process.connected ? () => {} : takeLock(root, join(root, 'runtime', 'lock')).release
}

/** Not through the log: it belongs to the system that has the root. */
function refuseRoot(thrown: unknown): number {
  const { message, hint } = toErrorData(thrown)
  process.stderr.write(`${message}. ${hint}\n`)
  return 1
}

/** Newest first; each that fails is named with its reason, and the next is tried. */
async function launchKernel(world: World): Promise<KernelPort> {
  const metas = findMetaFiles(world.root, world.fs)
  if (metas.length === 0) throw coded('no_meta', { root: world.root })
  const reasons: string[] = []
  for (const meta of metas) {
    try {
      const kernel = await startKernel(world, meta)
      world.log.info(`kernel ${kernel.version} from ${meta.path}${reasons.length === 0 ? '' : ' (fallback)'}`)
      return kernel
    } catch (thrown) {
      const error: ErrorData = toErrorData(thrown)
      if (error.file !== undefined) error.file = shownPath(world.root, error.file)
      reasons.push(`${meta.path}: ${describeError(error)}`)
      world.log.warn(`${meta.path} does not start: ${describeError(error)}`, {
        code: error.code,
        stack: String((thrown as Error)?.stack),
      })
    }
  }
  throw coded('no_kernel', { reason: reasons.join('; ') })
}

async function startKernel(world: World, meta: MetaFile): Promise<KernelPort> {
  const { kernel, release } = await loadKernel(world, meta)
  try {
    await within(world.clock, KERNEL_BOOT_MS, kernel.boot(), () =>
      coded('kernel_boot_timeout', { ms: KERNEL_BOOT_MS }, { file: meta.path }),
    )
  } catch (thrown) {
    void kernel.stop('it did not boot', 0).catch(() => undefined)
    release()
    throw thrown
  }
  return kernel
}

/** Constructed, not booted. */
async function loadKernel(world: World, { path }: MetaFile): Promise<{ kernel: KernelPort; release: () => void }> {
  const { root, loader, fs } = world
  const text = fs.read(join(root, path))
  if (text === undefined) throw coded('file_missing', { path }, { file: path })
  const meta = readMeta(path, text)
  const scan = loader.scan(kernelFile(world, meta.prog, meta['overrides']))
  const evaluated = await loader.evaluate(scan, { service: 'kernel', generation: 0 }, { evaluate_ms: KERNEL_BOOT_MS })
  const { Kernel } = evaluated.exports as { Kernel?: KernelClass }
  if (typeof Kernel !== 'function') throw coded('no_kernel_class', { prog: meta.prog }, { file: scan.entry })
  return {
    kernel: new Kernel({ ...world, packageRoot, metaFile: path, meta }),
    release: () => evaluated.release(),
  }
}

/** The package's own kernel, unless the meta file's `overrides:` allows the root to bring another for that name. */
function kernelFile({ root, fs }: World, prog: string, overrides: unknown): string {
  const allowed = prog !== 'kernel' || (typeof overrides === 'object' && overrides !== null && 'kernel' in overrides)
  const folders = [...(allowed ? [join(root, 'modules')] : []), join(packageRoot, 'modules')]
  for (const folder of folders) {
    for (const ending of [
      `/${prog.split('/').at(-1)}.ts`,
      '/index.ts',
      '.ts',
      '.mjs',
      '.js',
      `/${prog.split('/').at(-1)}.js`,
      '/index.js',
    ]) {
      const path = join(folder, prog + ending)
      if (fs.stat(path)?.kind === 'file') return path
    }
  }
  throw coded('prog_not_found', { prog })
}

/** `runtime/FREEZE` works when the kernel is sick: only this timer sets the flag, and the kernel only reads it. */
function watchFreeze({ root, fs, switchboard, log }: World): () => void {
  const path = join(root, 'runtime', 'FREEZE')
  const check = (): void => {
    let text: string | undefined
    try {
      text = fs.read(path)
    } catch {
      text = '' // it is there and cannot be read: frozen
    }
    const frozen = text === undefined ? 'none' : /\ball\b/.test(text) ? 'all' : 'self'
    if (frozen !== switchboard.frozen)
      log.warn(frozen === 'none' ? 'thawed' : `frozen (${frozen}): runtime/FREEZE is there`)
    switchboard.frozen = frozen
  }
  check()
  const timer = setInterval(check, FREEZE_CHECK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** A thread that ends the process when the main thread stands still; see `watchdog.ts`. */
function watchStalls({ root, loader, switchboard, log }: World): Watchdog | undefined {
  const stall_ms = stallLimit(process.env)
  if (stall_ms === undefined) return undefined
  return new Watchdog({
    file: join(root, STALL_FILE),
    stall_ms,
    thread: threadUrl(WATCHDOG_THREAD),
    explain: (url, line, column, owner) => {
      const place = loader.placeAt(url, line, column)
      return { ...switchboard.versionOf?.(owner), ...place, ...(place && { file: shownPath(root, place.file) }) }
    },
    onLost: (thrown) => log.warn(`the watchdog has ended: ${reasonOf(thrown)}`),
  })
}

/** Under a parent: signals are its business, and losing it is an orderly end. Alone: the first signal is the end. */
function stopOnRequest(kernel: () => KernelPort | undefined): () => void {
  const stop = (reason: string, ms = STOP_MS): void => {
    const running = kernel()
    if (running === undefined) process.exit(1)
    void running.stop(reason, ms)
  }
  const onMessage = (message: unknown): void => {
    const { shutdown, deadline_ms } = message as { shutdown?: boolean; deadline_ms?: number }
    if (shutdown === true) stop('asked by the parent', deadline_ms)
  }
  const onSignal = (signal: string): void => {
    if (!process.connected) stop(signal)
  }
  const onDisconnect = (): void => {
    setTimeout(() => process.exit(1), STOP_MS + 2_000).unref() // nobody else would end it
    stop('the parent is gone')
  }
  process.on('message', onMessage)
  process.on('disconnect', onDisconnect)
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => {
    process.off('message', onMessage)
    process.off('disconnect', onDisconnect)
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    if (process.connected) process.disconnect()
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) process.exit(await main())
