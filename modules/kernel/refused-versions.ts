/**
 * Versions that were taken back or stalled the process, by service: kept in runtime/refused.json so that they are not
 * loaded again, also not at boot, until their files change. Written whole after each change, and tried again after each
 * sweep while the disk takes no writes; until then only the memory over a restart is lost. Used by `ways-back.ts` and
 * the reconciler.
 */
import { join } from 'node:path'
import type { TakenBack } from '../contracts/changes.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { coded, reasonOf, toErrorData } from '../lib/errors.ts'
import { describeStall, isCertain, parseStall, STALL_FILE, STALL_TOLD_FILE, type Stall } from '../lib/stall.ts'
import { writeFailure } from '../lib/write-failure.ts'
import type { Machine } from './machine.ts'

const FILE = 'runtime/refused.json'

type Entry = TakenBack

const isEntry = (value: unknown): value is Entry => {
  const { configHash, sourceKey, takenBack } = (value ?? {}) as Record<string, unknown>
  return [configHash, sourceKey, takenBack].every((one) => typeof one === 'string')
}

export class RefusedVersions {
  private readonly machine: Machine
  private known = new Map<string, Entry>()
  /** the file may not hold what is known */
  private behind = false
  /** why it could not be written, as it was told */
  private told: string | undefined

  constructor(machine: Machine) {
    this.machine = machine
  }

  get entries(): Map<string, Entry> {
    return this.known
  }

  /** Another kernel's, which may have failed to write them. */
  set entries(entries: Map<string, Entry>) {
    this.known = entries
    this.behind = true
  }

  load(): void {
    this.read()
    this.takeInStall()
  }

  private read(): void {
    const { fs, root, log } = this.machine.options
    try {
      const text = fs.read(join(root, FILE))
      if (text === undefined) return
      for (const [api, entry] of Object.entries(JSON.parse(text) as object)) {
        if (isEntry(entry)) this.known.set(api, entry)
      }
    } catch (thrown) {
      log.warn(`${FILE} is ignored: ${reasonOf(thrown)}`)
    }
  }

  /** What ended the process before this one; the file is put aside, so that it counts once. */
  private takeInStall(): void {
    const { fs, root, log } = this.machine.options
    try {
      const text = fs.read(join(root, STALL_FILE))
      if (text === undefined) return
      const stall = parseStall(text)
      if (stall === undefined) log.warn(`${STALL_FILE} is ignored: it is no whole record`)
      else this.stalled(stall)
      fs.write(join(root, STALL_TOLD_FILE), text, { mode: 0o600 })
      fs.remove(join(root, STALL_FILE))
    } catch (thrown) {
      log.warn(`${STALL_FILE} could not be put aside: ${reasonOf(thrown)}`)
    }
  }

  private stalled(stall: Stall): void {
    const { service: api, config_hash: configHash, source_key: sourceKey, file, line, column } = stall
    const reason = describeStall(stall)
    const off = isCertain(stall)
    if (off && api !== null && configHash !== null && sourceKey !== null) {
      const place =
        file === null ? {} : { file, ...(line === null ? {} : { line }), ...(column === null ? {} : { column }) }
      const error = toErrorData(coded('version_stalled', { api, ms: stall.stalled_ms }, place))
      this.add(api, { configHash, sourceKey, takenBack: reason, error })
    }
    const code = off ? { code: 'version_stalled' } : {}
    this.machine.options.log.error(`${reason}${off ? '; it is off until its file changes' : ''}`, code)
    this.machine.events.emit('kernel.stalled', { ...stall, off })
  }

  /** A new service starts with what is remembered of it. */
  recall(service: ServiceRecord): void {
    service.refusedAttempt = this.known.get(service.api)
  }

  add(api: string, entry: Entry): void {
    this.note(api, entry)
    this.save()
  }

  /** What serves instead goes to disk first: a crash in between must not leave a refusal, and nothing to go back to. */
  async addAfter(api: string, entry: Entry, first: () => Promise<void>): Promise<void> {
    this.note(api, entry)
    await first()
    if (!this.machine.gone) this.save()
  }

  private note(api: string, entry: Entry): void {
    this.known.delete(api)
    this.known.set(api, entry)
    // The oldest belong to services and kernels that are long gone.
    const surplus = this.known.size - this.machine.limits.refused_kept
    for (const old of [...this.known.keys()].slice(0, Math.max(0, surplus))) this.known.delete(old)
    this.machine.lastGood.forget(api, entry)
  }

  forget(api: string): void {
    if (this.known.delete(api)) this.save()
  }

  /** Makes up for a write that failed. Never throws. */
  settle(): void {
    if (this.behind) this.save()
  }

  private save(): void {
    const { fs, root, log } = this.machine.options
    const path = join(root, FILE)
    const text = `${JSON.stringify(Object.fromEntries(this.known), undefined, 2)}\n`
    try {
      const written = fs.read(path)
      if (written !== text && (written !== undefined || this.known.size > 0)) fs.write(path, text)
      this.behind = false
      if (this.told !== undefined) log.info(`${FILE} is written`)
      this.told = undefined
    } catch (thrown) {
      const { message, code } = writeFailure(thrown, FILE)
      this.behind = true
      if (this.told === message) return
      this.told = message
      log.error(`${message}; until it is, a version that was taken back would be loaded again after a restart`, {
        code,
      })
    }
  }
}
