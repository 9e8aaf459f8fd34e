/**
 * The last changes, with the bytes before them, so that each can be undone. A change is what one switch brought: the
 * files that differ between the version before and the one that went live, or what a stop took away. Bounded, in memory.
 * First starts at boot are no changes; a first start later is undone by removing the config that asked for it.
 */
import { join } from 'node:path'
import type { ReloadResult } from '../contracts/kernel.ts'
import type { Change, ChangedFile, VersionSource } from '../contracts/changes.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { shortHash } from '../lib/hash.ts'
import type { Machine } from './machine.ts'
import type { Member } from './switch.ts'

/** Stands for the hash of what could not be read. */
const UNREADABLE = 'unreadable'

export class Journal {
  private readonly machine: Machine
  /** oldest first; another kernel's, after an adoption */
  changes: Change[] = []
  /** while an undo is applied: what it brings is no change to undo */
  private readonly undoing = new Set<string>()

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** A movement has ended; `earlier` is what served before, member by member. */
  moved(
    members: readonly Member[],
    earlier: readonly (VersionSource | undefined)[],
    results: readonly ReloadResult[],
  ): void {
    const files = new Map<string, ChangedFile>()
    const apis: string[] = []
    for (const [index, member] of members.entries()) {
      if (results[index]?.ok !== true || member.back !== undefined || this.undoing.has(member.service.api)) continue
      const before = earlier[index]
      if (before === undefined && this.joined(member)) continue
      const changed = before === undefined ? this.started(member) : this.differences(before, member)
      if (changed.size === 0) continue
      apis.push(member.service.api)
      for (const [path, file] of changed) files.set(path, file)
    }
    this.add(apis, files)
  }

  stopped(service: ServiceRecord, earlier: VersionSource | undefined): void {
    if (earlier?.configText === undefined || this.undoing.has(service.api)) return
    const path = this.configPath(earlier)
    this.add([service.api], new Map([[path, { before: earlier.configText, after: this.hashNow(path) }]]))
  }

  /** null: it is gone. What cannot be read is nothing anybody knows the hash of: an undo finds it changed. */
  private hashNow(path: string): string | null {
    try {
      return this.machine.readFile(path)?.hash ?? null
    } catch {
      return UNREADABLE
    }
  }

  /** The latest change of a service that is not undone. */
  latest(api: string): Change | undefined {
    return this.changes.findLast((change) => !change.undone && change.apis.includes(api))
  }

  async whileUndoing<T>(apis: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const api of apis) this.undoing.add(api)
    try {
      return await work()
    } finally {
      for (const api of apis) this.undoing.delete(api)
    }
  }

  private add(apis: string[], files: Map<string, ChangedFile>): void {
    if (files.size === 0) return
    const id = (this.changes.at(-1)?.id ?? 0) + 1
    this.changes.push({ id, time: this.machine.options.clock.now(), apis, files, undone: false })
    let chars = this.changes.reduce((total, change) => total + charsOf(change.files), 0)
    const { changes_kept, changes_chars_max } = this.machine.limits
    // The latest one is kept whatever its size: it is the one that is asked for.
    while (this.changes.length > 1 && (this.changes.length > changes_kept || chars > changes_chars_max)) {
      chars -= charsOf(this.changes.shift()?.files ?? new Map())
    }
  }

  /** A config that changed its api: the stop of the old name and the start of the new one are one change. */
  private joined(member: Member): boolean {
    if (!member.service.addedLater || member.configText === undefined) return false
    const [path, hash] = [this.configPath(member), shortHash(member.configText)]
    const change = this.changes.findLast((one) => !one.undone && one.files.has(path))
    if (change === undefined || change.files.get(path)?.after !== hash) return false
    change.apis.push(member.service.api)
    return true
  }

  private started(member: Member): Map<string, ChangedFile> {
    if (!member.service.addedLater || member.configText === undefined) return new Map()
    return new Map([[this.configPath(member), { before: null, after: shortHash(member.configText) }]])
  }

  private differences(before: VersionSource, after: VersionSource): Map<string, ChangedFile> {
    const changed = new Map<string, ChangedFile>()
    for (const [path, text] of before.scan.texts) {
      const hash = after.scan.files.get(path)
      if (hash === before.scan.files.get(path)) continue
      // What is no longer imported may still be there, unchanged: then nothing happened to it.
      const now = hash ?? this.hashNow(path)
      if (now !== UNREADABLE && now !== before.scan.files.get(path)) changed.set(path, { before: text, after: now })
    }
    const [from, to] = [this.configPath(before), this.configPath(after)]
    if (from !== to) {
      if (after.configText !== undefined) changed.set(to, { before: null, after: shortHash(after.configText) })
      if (before.configText !== undefined && this.hashNow(from) === null)
        changed.set(from, { before: before.configText, after: null })
    } else if (before.configText !== undefined && after.configText !== undefined) {
      if (before.configText !== after.configText)
        changed.set(from, { before: before.configText, after: shortHash(after.configText) })
    }
    return changed
  }

  private configPath(version: VersionSource): string {
    return join(this.machine.options.root, version.desired.file)
  }
}

function charsOf(files: ReadonlyMap<string, ChangedFile>): number {
  let chars = 0
  for (const { before } of files.values()) chars += before?.length ?? 0
  return chars
}
