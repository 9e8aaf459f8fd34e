/**
 * Versions that were taken back, by service: kept in runtime/refused.json so that they are not loaded again, also not
 * at boot, until their files change. Written whole after each change; a file that cannot be read or written is told
 * and costs nothing but the memory over a restart. Used by `ways-back.ts` and the reconciler.
 */
import { join } from 'node:path'
import type { RefusedAttempt } from '../contracts/changes.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { reasonOf } from '../lib/errors.ts'
import { writeFailure } from '../lib/write-failure.ts'
import type { Machine } from './machine.ts'

const FILE = 'runtime/refused.json'

type Entry = RefusedAttempt & { takenBack: string }

const isEntry = (value: unknown): value is Entry => {
  const { configHash, sourceKey, takenBack } = (value ?? {}) as Record<string, unknown>
  return [configHash, sourceKey, takenBack].every((one) => typeof one === 'string')
}

export class RefusedVersions {
  private readonly machine: Machine
  private readonly entries = new Map<string, Entry>()

  constructor(machine: Machine) {
    this.machine = machine
  }

  load(): void {
    const { fs, root, log } = this.machine.options
    try {
      const text = fs.read(join(root, FILE))
      if (text === undefined) return
      for (const [api, entry] of Object.entries(JSON.parse(text) as object)) {
        if (isEntry(entry)) this.entries.set(api, entry)
      }
    } catch (thrown) {
      log.warn(`${FILE} is ignored: ${reasonOf(thrown)}`)
    }
  }

  /** A new service starts with what is remembered of it. */
  recall(service: ServiceRecord): void {
    service.refusedAttempt = this.entries.get(service.api)
  }

  add(api: string, entry: Entry): void {
    this.entries.set(api, entry)
    this.save()
  }

  forget(api: string): void {
    if (this.entries.delete(api)) this.save()
  }

  private save(): void {
    const { fs, root, log } = this.machine.options
    try {
      fs.write(join(root, FILE), `${JSON.stringify(Object.fromEntries(this.entries), undefined, 2)}\n`)
    } catch (thrown) {
      const { message, code } = writeFailure(thrown, FILE)
      log.error(`${message}; a version that was taken back would be loaded again after a restart`, { code })
    }
  }
}
