/**
 * Which kernel should run, and the way there: the newest meta file whose kernel was not refused. A candidate is tried
 * where it can be killed, loaded, given everything in one tick, and asked how it is; whatever fails before, in or right
 * after that tick, this kernel goes on, and the candidate is refused until its files change. Level-triggered: `look`
 * compares what is wanted with what runs. What shows later is the business of `run.ts` (probation).
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { KernelChange, KernelSource, KernelSwapResult } from '../contracts/kernel.ts'
import type { KernelPort, NextKernel } from '../contracts/kernel-port.ts'
import type { KernelState } from '../contracts/kernel-state.ts'
import type { Scan } from '../contracts/seams.ts'
import { coded, describeError, reasonOf, toErrorData } from '../lib/errors.ts'
import { findKernel, loadKernel, metaVersion, type FoundKernel } from '../lib/kernel-source.ts'
import { beginTrial, endTrial, kernelEntry, rehearseTrial } from '../lib/kernel-trial.ts'
import { stateLeft } from '../lib/state-left.ts'
import { within } from '../lib/within.ts'
import { metaFilesOf, placed, wantedKernel, type WantedKernel } from './kernel-wanted.ts'
import type { Machine } from './machine.ts'
import type { RefusedVersions } from './refused-versions.ts'

export interface KernelSwapOptions {
  machine: Machine
  self: KernelPort
  refused: RefusedVersions
  facts: { history: KernelChange[]; bornAt: number }
  /** Another kernel runs from now on. Must not throw. */
  onNext(next: NextKernel): void
}

/** Says nothing against the candidate: the system is busy, or the note of the trial cannot be written now. */
const MAY_PASS = new Set(['kernel_busy', 'kernel_stopping', 'disk_full', 'read_only', 'file_failed'])

export class KernelSwap {
  /** what this kernel is made from; undefined when its meta file could not be read at the start */
  private running: Pick<FoundKernel, 'source' | 'scan'> | undefined
  private readonly options: KernelSwapOptions
  private underWay: Promise<KernelSwapResult> | undefined
  /** monotonic ms since when the meta file of this kernel is gone */
  private goneSince: number | undefined
  private told = ''
  /** it was put off for a while */
  private rests = false
  /** a look could not act: everything was frozen, or this kernel was not accepted yet */
  private owed = false

  constructor(options: KernelSwapOptions) {
    this.options = options
  }

  get source(): KernelSource | undefined {
    return this.running?.source
  }

  /** The files whose change is a reason to look. */
  get scan(): Scan | undefined {
    return this.running?.scan
  }

  start(): void {
    this.rests = false
    const { machine } = this.options
    try {
      // Not what stands on disk by now: that may have been saved while it took over.
      this.running ??= machine.options.madeFrom ?? findKernel(machine.options, machine.options.metaFile)
    } catch (thrown) {
      machine.options.log.warn(`the kernel's own source cannot be read: ${describeError(toErrorData(thrown))}`)
    }
    this.look()
  }

  private restFor(ms: number): void {
    this.rests = true
    this.options.machine.clock.after(ms, () => this.goOn(), { ref: false })
  }

  private goOn(): void {
    this.rests = false
    this.look()
  }

  /** Looks now; starts a swap when another kernel is wanted. Never throws. */
  look(): void {
    const { machine } = this.options
    const { switchboard } = machine.options
    if (machine.stopping || machine.gone || this.underWay !== undefined || this.rests) return
    this.owed = switchboard.frozen === 'all' || switchboard.handingOver
    if (this.owed) return
    try {
      const { found, refused } = this.wanted()
      this.tell(refused)
      if (found === undefined || this.isRunning(found) || this.waitsForGrace()) return
      void this.begin(found)
    } catch (thrown) {
      // The folder cannot be listed: nobody can say which kernel is wanted.
      machine.options.log.warn(`the meta files cannot be read: ${reasonOf(thrown)}`)
      this.restFor(machine.limits.kernel_retry_ms)
    }
  }

  /** Once a second: nobody says when what kept it back has ended. Never throws. */
  tick(): void {
    if (this.owed) this.look()
  }

  /** Somebody asks for it: what was refused is tried again, and what runs is loaded anew. */
  async swap(): Promise<KernelSwapResult> {
    await this.underWay
    const { machine, refused } = this.options
    if (machine.stopping) throw coded('kernel_stopping')
    for (const { path } of metaFilesOf(machine)) refused.forget(kernelEntry(path))
    const { found, refused: broken } = this.wanted()
    const [first] = broken
    if (found === undefined || first !== undefined) {
      const error = first?.[1] ?? toErrorData(coded('no_meta', { root: machine.options.root }))
      return this.result(first?.[0] ?? '', { error, since: machine.clock.monotonic() })
    }
    return this.begin(found)
  }

  private begin(found: FoundKernel): Promise<KernelSwapResult> {
    const attempt = this.attempt(found).finally(() => {
      this.underWay = undefined
      // What was saved meanwhile, and what a refusal leaves as the next best.
      this.options.machine.clock.soon(() => this.look())
    })
    this.underWay = attempt
    return attempt
  }

  wanted(): WantedKernel {
    return wantedKernel(this.options.machine, this.options.refused)
  }

  /** Meta files and kernels that cannot even be read: told once, when it becomes so. */
  private tell(refused: ReadonlyMap<string, ErrorData>): void {
    const { machine, refused: versions } = this.options
    const { log } = machine.options
    const unread = [...refused].filter(([path]) => !versions.entries.has(kernelEntry(path)))
    const text = unread.map(([path, error]) => `${path}: ${describeError(error)}`).join('; ')
    if (text !== this.told && text !== '') {
      log.error(`the kernel stays ${machine.options.metaFile}: ${text}`)
      for (const [path, error] of unread)
        this.note({ to: metaVersion(path), meta_file: path, outcome: 'refused', error })
    }
    this.told = text
  }

  private isRunning({ source }: FoundKernel): boolean {
    const mine = this.running?.source
    return mine === undefined || (mine.meta_file === source.meta_file && mine.source_key === source.source_key)
  }

  /** A meta file that is briefly missing while somebody saves it is no reason to go back. */
  private waitsForGrace(): boolean {
    const { machine } = this.options
    const { metaFile } = machine.options
    if (metaFilesOf(machine).some(({ path }) => path === metaFile)) {
      this.goneSince = undefined
      return false
    }
    const now = machine.clock.monotonic()
    this.goneSince ??= now
    const left = this.goneSince + machine.limits.file_grace_ms - now
    if (left > 0) machine.clock.after(left, () => this.look(), { ref: false })
    return left > 0
  }

  /** Never rejects. */
  private async attempt(found: FoundKernel): Promise<KernelSwapResult> {
    const { machine, self } = this.options
    const { vet, log, root, fs } = machine.options
    const since = machine.clock.monotonic()
    const { meta_file, version } = found.source
    log.info(`kernel ${self.version} → ${version}: ${meta_file} is tried`)
    let next: NextKernel | undefined
    try {
      rehearseTrial(fs, root)
      const { scan } = this
      if (scan !== undefined) await vet?.({ metaFile: meta_file, incumbent: scan.entry, texts: scan.texts })
      next = await loadKernel(machine.options, found, this.nextNumber(), machine.limits.evaluate_ms)
      await self.pause(machine.limits.kernel_pause_ms)
      this.beginTrial(found)
    } catch (thrown) {
      next?.release()
      return this.refuse(found, since, thrown)
    }
    return this.handOver(found, next, since)
  }

  private beginTrial({ source }: FoundKernel): void {
    const { machine, self } = this.options
    const { fs, root, switchboard } = machine.options
    try {
      if (machine.stopping) throw coded('kernel_stopping')
      if (switchboard.handingOver || machine.gone) throw coded('kernel_busy', { reason: 'another swap is under way' })
      beginTrial(fs, root, source)
    } catch (thrown) {
      self.resume()
      throw thrown
    }
  }

  /** From here to the end of the first statement nothing is awaited: no call can come between. */
  private async handOver(found: FoundKernel, next: NextKernel, since: number): Promise<KernelSwapResult> {
    const { machine, self, onNext } = this.options
    const { clock, switchboard } = machine.options
    const { kernel_adopt_ms: ms } = machine.limits
    const began = clock.monotonic()
    let state: KernelState | undefined
    let pause_ms = 0
    switchboard.handingOver = true
    try {
      state = self.exportState(next.kernel.reads)
      self.letGo()
      const ready = next.kernel.adopt(state)
      pause_ms = clock.monotonic() - began
      const late = (): Error => coded('kernel_adopt_timeout', { ms }, { file: found.source.meta_file })
      await within(clock, ms, Promise.resolve(ready), late)
      const health = await within(clock, ms, next.kernel.health(), late)
      if (!health.ok) throw coded('kernel_unwell', { reason: health.reason ?? 'it does not say why' })
    } catch (thrown) {
      // It was told to stop meanwhile: the system ends with it.
      if (state?.events.closed === true) onNext({ ...next, given: state })
      else this.takeBack(next, state)
      return this.refuse(found, since, thrown)
    } finally {
      switchboard.handingOver = false
    }
    const { version } = found.source
    const told = { pause_ms: Math.round(pause_ms * 100) / 100 }
    this.note({ to: version, meta_file: found.source.meta_file, outcome: 'swapped', error: null, ...told })
    machine.options.log.info(`kernel ${self.version} → ${version}  paused ${told.pause_ms} ms`)
    const { meta_file } = found.source
    machine.events.emit('kernel.swapped', { from: self.version, to: version, meta_file, ...told })
    onNext({ ...next, given: state })
    return this.result(version, { error: null, since, ...told })
  }

  /** This kernel goes on, with everything as the other left it, or as it was when it was given. */
  private takeBack({ kernel, release }: NextKernel, given: KernelState | undefined): void {
    const { machine, self } = this.options
    const { log, fs, root } = machine.options
    endTrial(fs, root)
    if (given === undefined) {
      self.resume()
      release()
      return
    }
    const state = stateLeft(kernel, given, self.reads, (message) => log.warn(message))
    void self.adopt(state).catch((thrown: unknown) => log.error(`taking back: ${String(thrown)}`))
    release()
  }

  private refuse(found: FoundKernel, since: number, thrown: unknown): KernelSwapResult {
    const { machine } = this.options
    const { source } = found
    const { loader } = machine.options
    const data = toErrorData(thrown)
    const place = data.file === undefined ? loader.placeOf(thrown) : {}
    const error = placed(machine, { ...data, ...place })
    if (MAY_PASS.has(error.code)) {
      const { kernel_retry_ms, disk_retry_ms } = machine.limits
      const ms = error.code === 'kernel_busy' ? kernel_retry_ms : disk_retry_ms
      machine.options.log.warn(`the kernel stays for now: ${error.message}`, { code: error.code })
      this.restFor(ms)
    } else this.refuseSource(source, error, 'refused')
    return this.result(source.version, { error, since })
  }

  refuseSource(source: KernelSource, error: ErrorData, outcome: 'refused' | 'taken_back'): void {
    const { machine, refused, self } = this.options
    const { meta_file, config_hash: configHash, source_key: sourceKey, version } = source
    refused.add(kernelEntry(meta_file), { configHash, sourceKey, takenBack: error.message, error })
    this.note({ to: version, meta_file, outcome, error })
    machine.events.emit('kernel.refused', { version, meta_file, outcome, error })
    machine.options.log.error(
      `kernel ${version} (${meta_file}) ${outcome.replace('_', ' ')}: ${describeError(error)}; ${self.version} serves`,
      { code: error.code },
    )
  }

  private note(change: Omit<KernelChange, 'at' | 'from' | 'pause_ms'> & { pause_ms?: number }): void {
    const { machine, self, facts } = this.options
    facts.history.push({ at: machine.options.clock.now(), from: self.version, pause_ms: null, ...change })
    if (facts.history.length > machine.limits.kernel_history_kept) facts.history.shift()
  }

  private result(to: string, facts: { error: ErrorData | null; since: number; pause_ms?: number }): KernelSwapResult {
    const { machine, self } = this.options
    const ms = Math.round(machine.options.clock.monotonic() - facts.since)
    const { error, pause_ms = null } = facts
    return { ok: error === null, from: self.version, to, error, pause_ms, ms }
  }

  /** Numbers of the kernels of this process, as stacks name them. */
  private nextNumber(): number {
    return this.options.facts.history.length + 1
  }
}
