/**
 * The bootloader. Finds the newest kernel that starts, hands it the root, and waits until it ends. It owns what
 * outlives a kernel: the loader, the switchboard, the process's own error handlers, and the FREEZE flag.
 * Small and stable: changing this file, the loader, the switchboard, the sandboxes or the watchdog is the only change that
 * needs a restart.
 */
import { join, resolve } from 'node:path'
import type { CheckReport } from './modules/contracts/kernel.ts'
import type { KernelPort } from './modules/contracts/kernel-port.ts'
import type { FaultListener, Log } from './modules/contracts/seams.ts'
import { realClock } from './modules/lib/clock.ts'
import { coded, describeError, reasonOf, toErrorData } from './modules/lib/errors.ts'
import { realFileSystem } from './modules/lib/file-system.ts'
import { findKernel, loadKernel } from './modules/lib/kernel-source.ts'
import { endTrial } from './modules/lib/kernel-trial.ts'
import { launchKernel, superviseKernels, type World } from './modules/lib/supervise.ts'
import { probationTime } from './modules/lib/probation.ts'
import { takeLock } from './modules/lib/lock.ts'
import { createLog } from './modules/lib/log.ts'
import { findMetaFiles } from './modules/lib/meta-files.ts'
import { shownPath } from './modules/lib/shown-path.ts'
import { STALL_FILE } from './modules/lib/stall.ts'
import { createSwitchboard } from './modules/lib/switchboard.ts'
import { removeDrafts } from './modules/lib/whole-file.ts'
import { createVet, VET_MS, VET_THREAD } from './modules/loader/vet.ts'
import { stallLimit, Watchdog, WATCHDOG_THREAD } from './modules/lib/watchdog.ts'
import { ModuleLoader } from './modules/loader/loader.ts'
import { Pack } from './modules/loader/pack.ts'
import { threadUrl, threadWithImports } from './modules/loader/thread.ts'
import { Sandboxes, type SandboxesOptions } from './modules/sandbox/host/sandboxes.ts'

const KERNEL_BOOT_MS = 10_000
const STOP_MS = 10_000
const FREEZE_CHECK_MS = 1_000
const packageRoot = import.meta.dirname.endsWith('dist') ? resolve(import.meta.dirname, '..') : import.meta.dirname

type RunWorld = World & { loader: ModuleLoader; sandboxes: Sandboxes; pulse?: Watchdog | undefined }

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
    await runKernels(world, cache, (current) => {
      kernel = current
    })
    return 0
  } catch (thrown) {
    const error = toErrorData(thrown)
    log.error(`${describeError(error)}. ${error.hint}`, { code: error.code })
    return 1
  } finally {
    unfreeze()
    stop()
    await world.sandboxes.close()
    world.pulse?.stop()
    unlock()
  }
}

/** Resolves when the system has stopped. */
async function runKernels(world: RunWorld, cache: Pack, onKernel: (kernel: KernelPort) => void): Promise<void> {
  const first = await launchKernel(world, KERNEL_BOOT_MS)
  onKernel(first.kernel)
  process.send?.({ type: 'booted', version: first.kernel.version })
  void first.kernel.settled().then(() => {
    process.send?.({ type: 'settled', status: first.kernel.status() })
    void keepWork(cache, world.log)
    void tidyUp(world)
  })
  await superviseKernels(world, first, probationTime(process.env), onKernel)
  endTrial(world.fs, world.root)
  await keepWork(cache, world.log)
}

type WorldOptions = Pick<RunWorld, 'root' | 'safe' | 'log' | 'cache'> & { fault: FaultListener }

function createWorld({ fault, ...options }: WorldOptions): RunWorld {
  const seams = { clock: realClock, fs: realFileSystem }
  const { root, cache } = options
  const loader = new ModuleLoader({ root, packageRoot, ...seams, fault, ...(cache === undefined ? {} : { cache }) })
  const vet = createVet({ root, packageRoot, thread: () => threadWithImports(VET_THREAD), vet_ms: VET_MS })
  const sandboxes = new Sandboxes({ root, packageRoot, ...seams, log: options.log, fault, load: loadSandbox })
  return { ...options, ...seams, packageRoot, switchboard: createSwitchboard(), loader, sandboxes, vet, fallbacks: [] }
}

/** Most systems have no sandbox: what it takes is loaded for the first. */
async function loadSandbox(): ReturnType<SandboxesOptions['load']> {
  const [{ createEngine }, { scanSource: scan }, { FORBIDDEN_IMPORTS: forbidden }] = await Promise.all([
    import('./modules/sandbox/engine/index.ts'),
    import('./modules/sandbox/scan/scan.ts'),
    import('./modules/sandbox/scan/forbidden.ts'),
  ])
  return { engine: createEngine({ clock: realClock }), scan, forbidden }
}

/** What a process that was killed while it wrote has left behind. Whoever has the root writes in it: older is left. */
async function tidyUp({ root, log }: RunWorld): Promise<void> {
  const removed = await removeDrafts(root, performance.timeOrigin)
  if (removed.length > 0) log.info(`removed what a killed process had begun to write: ${removed.join(', ')}`)
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
    report = await (await loadKernel(world, findKernel(world, newest.path), 0, KERNEL_BOOT_MS)).kernel.check()
  } catch (thrown) {
    report = { services: 0, errors: [toErrorData(thrown)] }
  }
  await world.sandboxes.close()
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
function watchStalls({ root, loader, switchboard, log }: RunWorld): Watchdog | undefined {
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
