/**
 * The ways back from a change. Rollback: the version before, kept in memory, serves again; the disk stays, and what
 * stands on it is refused until it changes. Undo: the bytes before are written back too, but only over the very bytes
 * that are being undone. Both are movements like any other. Asked for by people, and by the supervisor.
 */
import { join } from 'node:path'
import type { ReloadResult } from '../contracts/kernel.ts'
import type { ChangedFile, KeptVersion, RefusedAttempt } from '../contracts/changes.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import { shownPath } from '../lib/shown-path.ts'
import { writeFailure } from '../lib/write-failure.ts'
import type { Journal } from './journal.ts'
import type { Machine } from './machine.ts'
import type { Reconciler } from './reconciler.ts'
import type { RefusedVersions } from './refused-versions.ts'

export class WaysBack {
  private readonly machine: Machine
  private readonly reconciler: Reconciler
  private readonly journal: Journal
  private readonly refused: RefusedVersions

  constructor(machine: Machine, reconciler: Reconciler, journal: Journal, refused: RefusedVersions) {
    this.machine = machine
    this.reconciler = reconciler
    this.journal = journal
    this.refused = refused
  }

  /** undefined: another kernel has taken over while it waited. Rejects with `service_not_found`, `nothing_to_roll_back`. */
  rollback(api: string, reason: string): Promise<ReloadResult | undefined> {
    return this.whenFree(api, async (service) => {
      const { live } = service
      const kept = service.kept ?? this.fromDisk(service)
      if (kept === undefined) throw coded('nothing_to_roll_back', { api })
      const from = live ?? { desired: service.desired ?? kept.desired, scan: service.scan ?? kept.scan }
      const taken = { configHash: from.desired.hash, sourceKey: from.scan.key, takenBack: reason }
      const member = { ...memberOf(service, kept), back: { copy: kept.copy, reason } }
      service.goingBack = true
      const written: Promise<void>[] = []
      const [result] = await this.reconciler.movements.start([member], this.now, ([back]) => {
        service.goingBack = false
        if (back?.ok === true) written.push(this.takenBack(service, taken))
      })
      await Promise.all(written)
      return result
    })
  }

  /**
   * What serves is started anew, as it stands on disk; in the place of a version that was taken back, as it is: that one
   * stays refused. undefined and rejections: as `rollback` and the reconciler's `reload`.
   */
  restart(api: string): Promise<ReloadResult | undefined> {
    return this.whenFree(api, async (service) => {
      const { live, refusedAttempt, refusal } = service
      if (live === undefined || refusedAttempt?.takenBack === undefined) return this.reconciler.restart(api)
      const { desired, scan, number, configText } = live
      const back = { copy: undefined, reason: 'it starts anew', anew: true }
      const member = { ...memberOf(service, { desired, scan, number, configText, copy: undefined }), back }
      service.goingBack = true
      const [result] = await this.reconciler.movements.start([member], this.now, () => {
        service.goingBack = false
        service.refusedAttempt = refusedAttempt
        service.refusal = refusal
      })
      return result
    })
  }

  private get now(): number {
    return this.machine.options.clock.monotonic()
  }

  /**
   * Looked up again after each wait: it may be gone, and somebody else may have waited for the same moment. What is done
   * then begins in that moment.
   */
  private async whenFree(
    api: string,
    act: (service: ServiceRecord) => Promise<ReloadResult | undefined>,
  ): Promise<ReloadResult | undefined> {
    const { movements } = this.reconciler
    let service = this.reconciler.find(api)
    while (movements.of(service) !== undefined) {
      if (!(await movements.free(service))) return undefined
      service = this.reconciler.find(api)
    }
    return act(service)
  }

  /** The version before belonged to another process: what was kept of it is on disk. */
  private fromDisk(service: ServiceRecord): KeptVersion | undefined {
    const source = this.machine.lastGood.versionFor(service)?.source
    return source && { ...source, number: 0, copy: undefined }
  }

  /** Resolves when a process that is killed from then on would come back to it. */
  private takenBack(service: ServiceRecord, taken: RefusedAttempt & { takenBack: string }): Promise<void> {
    const { api } = service
    service.kept = undefined
    service.refusedAttempt = taken
    service.refusal = toErrorData(coded('version_refused', { api, reason: taken.takenBack }))
    const onDisk = this.refused.addAfter(api, taken, () => this.machine.lastGood.keep(service))
    this.machine.events.emit('service.rolled_back', { api, generation: service.live?.number, reason: taken.takenBack })
    return onDisk
  }

  /** The same. Rejects with `nothing_to_undo`, `file_changed`, or why a file could not be written. */
  async undo(api: string): Promise<ReloadResult | undefined> {
    const { services } = this.machine
    for (let moving = services.get(api); moving !== undefined && this.isMoving(moving); moving = services.get(api)) {
      if (!(await this.reconciler.movements.free(moving))) return undefined
    }
    const service = services.get(api)
    const change = this.journal.latest(api)
    const stale = service === undefined ? undefined : this.staleFiles(service)
    const files = stale ?? change?.files
    if (files === undefined) throw coded('nothing_to_undo', { api })
    const apis = stale === undefined && change !== undefined ? change.apis : [api]
    this.checkUnchanged(files)
    this.write(files)
    // Taking the bytes of a refused version away also takes back the change that had brought it.
    if (change !== undefined && (stale === undefined || sameFiles(change.files, files))) change.undone = true
    this.refused.forget(api)
    this.machine.events.emit('change.undone', { services: apis, files: this.shown(files) })
    const results = await this.journal.whileUndoing(apis, () => this.reconciler.apply(new Set(files.keys()), apis))
    return results[apis.indexOf(api)]
  }

  private isMoving(service: ServiceRecord): boolean {
    return this.reconciler.movements.of(service) !== undefined
  }

  /** Files that differ between what runs and a version on disk that was refused; undefined when there is none. */
  private staleFiles(service: ServiceRecord): Map<string, ChangedFile> | undefined {
    const { live, scan, refusal, configText } = service
    if (live === undefined || refusal === undefined) return undefined
    const files = new Map<string, ChangedFile>()
    for (const [path, text] of live.scan.texts) {
      const seen = scan?.files.get(path) ?? this.machine.readFile(path)?.hash ?? null
      if (seen !== live.scan.files.get(path)) files.set(path, { before: text, after: seen })
    }
    const path = join(this.machine.options.root, live.desired.file)
    const onDisk = this.machine.readFile(path)
    if (live.configText !== undefined && onDisk?.text !== live.configText) {
      // A file that does not parse was never taken in: what it holds now is what is refused.
      const refused = configText === undefined || configText === live.configText ? undefined : shortHash(configText)
      files.set(path, { before: live.configText, after: refused ?? onDisk?.hash ?? null })
    }
    return files.size === 0 ? undefined : files
  }

  private checkUnchanged(files: ReadonlyMap<string, ChangedFile>): void {
    for (const [path, { after }] of files) {
      const now = this.machine.readFile(path)?.hash ?? null
      const file = shownPath(this.machine.options.root, path)
      if (now !== after) throw coded('file_changed', { file }, { file })
    }
  }

  private write(files: ReadonlyMap<string, ChangedFile>): void {
    const { fs, root } = this.machine.options
    for (const [path, { before }] of files) {
      try {
        if (before === null) fs.remove(path)
        else fs.write(path, before, modeOf(fs.stat(path)?.mode))
      } catch (thrown) {
        throw writeFailure(thrown, shownPath(root, path))
      }
    }
  }

  private shown(files: ReadonlyMap<string, ChangedFile>): string[] {
    return [...files.keys()].map((path) => shownPath(this.machine.options.root, path))
  }
}

const modeOf = (mode: number | undefined): { mode?: number } => (mode === undefined ? {} : { mode })

const memberOf = (service: ServiceRecord, kept: KeptVersion) => ({
  service,
  desired: kept.desired,
  scan: kept.scan,
  configText: kept.configText,
  asked: true,
})

function sameFiles(a: ReadonlyMap<string, ChangedFile>, b: ReadonlyMap<string, ChangedFile>): boolean {
  return a.size === b.size && [...a].every(([path, file]) => b.get(path)?.after === file.after)
}
