/**
 * The service `history`: records what happens to the system, over restarts, with the texts of each version that went live,
 * and answers from it: what changed, what differs between two versions, and why something is as it is. It only listens:
 * nothing waits for it, and a system without it lacks nothing but its answers. The live version alone records.
 */
import { join } from 'node:path'
import { z } from 'zod'
import type { ComparedVersion, Happening, HistoryApi, HistoryQuery, VersionDiff, Why } from '../../contracts/history.ts'
import type { KernelServiceApi, ServiceSource } from '../../contracts/kernel.ts'
import type { Handle, KernelApi, MachineEvent } from '../../contracts/module.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import type { Trace, TracesApi } from '../../contracts/traces.ts'
import { coded, codeOf } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { Redactor, withoutNamedSecrets } from '../../lib/redact.ts'
import { secretValues } from '../../lib/secret-values.ts'
import { changedPaths, compare } from './compare.ts'
import { isRecorded, tell, type HistoryRecord } from './record.ts'
import { HistoryStore } from './store.ts'
import { whyCall } from './why-call.ts'
import { whyHappening, whyService } from './why.ts'

export const configSchema = z.object({
  entries_max: z.number().int().min(10).max(100_000).default(5_000),
  /** of each service, how many versions can be compared */
  versions_kept: z.number().int().min(2).max(1_000).default(30),
  /** longer texts are named, and not kept */
  text_chars_max: z.number().int().positive().default(1_000_000),
})

type Config = z.infer<typeof configSchema>

const LIMIT = 100
/** One process: event numbers begin again with each. */
const BOOT = `${process.pid}.${Math.round(performance.timeOrigin)}`

interface Side {
  version: ComparedVersion
  files: Record<string, string>
}

export class Module implements HistoryApi {
  readonly #kernel: KernelApi
  readonly #system: Handle<KernelServiceApi>
  readonly #store: HistoryStore
  /** the process that recorded first: what it started was there before the history was */
  #began = BOOT
  #ending = false

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
    this.#store = new HistoryStore(join(kernel.paths.runtime, 'history'), config, (reason) =>
      kernel.log.warn(`the history is not written: ${reason}; what happens meanwhile is kept in memory`),
    )
  }

  async init(): Promise<void> {
    await this.#store.load()
  }

  /** The version before has ended its own run(), and written what it had: from here on this one records. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#store.load()
    this.#began = this.#store.records[0]?.boot ?? BOOT
    let work = Promise.resolve()
    const take = (event: MachineEvent): void => {
      if (!isRecorded(event)) return
      // Asked for now: a moment later another version may be live.
      const source = event.type === 'service.live' ? this.#sourceOf(event) : undefined
      work = work.then(async () => this.#record(event, await source))
    }
    const early: MachineEvent[] = []
    let started = false
    const leave = this.#kernel.events.on('*', (event) => (started ? take(event) : early.push(event)))
    const recorded = this.#store.records.findLast((one) => one.boot === BOOT)?.event ?? 0
    const missed = await this.#system.eventsSince(recorded)
    const last = missed.at(-1)?.id ?? recorded
    for (const event of [...missed, ...early.filter((one) => one.id > last)]) take(event)
    started = true
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await leave()
    await work
    await this.#store.flushed()
  }

  /** undefined when it is not live any more, or gone. */
  async #sourceOf({ data }: MachineEvent): Promise<ServiceSource | undefined> {
    const source = await this.#system.source(String(data['api'])).catch(() => undefined)
    return source?.generation === data['generation'] ? source : undefined
  }

  #record({ id, time, type, data }: MachineEvent, source: ServiceSource | undefined): void {
    const record: HistoryRecord = {
      id: this.#store.lastId + 1,
      time,
      boot: BOOT,
      event: id,
      type,
      data: JSON.parse(JSON.stringify(data)) as JsonMap,
    }
    if (type === 'kernel.stopping') this.#ending = true
    if (source === undefined) {
      this.#store.add(this.#ending ? { ...record, ending: true } : record)
      return
    }
    const { api, source_hash, config_hash, config_file } = source
    const texts = new Map(Object.values(source.files).map((text) => [shortHash(text), text]))
    const files = Object.fromEntries(Object.entries(source.files).map(([path, text]) => [path, shortHash(text)]))
    const of = this.#store.records.filter((one) => one.data['api'] === api)
    const before = of.findLast((one) => one.version !== undefined)?.version
    const version = { source_hash, config_hash, config_file, files }
    const changed = before === undefined ? [] : changedPaths(before.files, files)
    this.#store.add({ ...record, version, changed, ...this.#addedOf(of, source) }, texts)
  }

  /** What a first history finds running was there before it. */
  #addedOf(of: readonly HistoryRecord[], { added_later }: ServiceSource): Pick<HistoryRecord, 'added'> {
    if (!of.some((one) => one.version !== undefined)) return added_later || this.#began !== BOOT ? { added: 'new' } : {}
    const stopped = of.findLast((one) => one.type === 'service.stopped' || one.type === 'service.live')
    return stopped?.type === 'service.stopped' && stopped.boot === BOOT ? { added: 'again' } : {}
  }

  changes({ since = 0, service, limit = LIMIT, all = false }: HistoryQuery = {}): { changes: Happening[] } {
    const found = this.#happened(service).filter((one) => one.time >= since && (all || one.change))
    return { changes: found.slice(-limit) }
  }

  #happened(service?: string): Happening[] {
    const isOf = ({ data }: HistoryRecord): boolean => {
      const { api, services } = data
      return service === undefined || api === service || (Array.isArray(services) && services.includes(service))
    }
    return this.#store.records.filter(isOf).map(tell)
  }

  async diff(api: string, from?: string, to?: string): Promise<VersionDiff> {
    const live = await this.#system.source(api)
    const [first, second] = from === undefined ? ['live', 'disk'] : [from, to ?? 'live']
    const before = await this.#side(live, first)
    const after = await this.#side(live, second)
    const redactor = new Redactor(secretValues(await this.#system.configs(), this.#kernel.paths.runtime, process.env))
    const files = compare(before.files, after.files).map((one) => ({
      ...one,
      patch: redactor.text(/\.ya?ml$/.test(one.path) ? withoutNamedSecrets(one.patch) : one.patch),
    }))
    return { api, from: before.version, to: after.version, files }
  }

  async #side(live: ServiceSource, label: string): Promise<Side> {
    const { api } = live
    if (label === 'live' || label === 'disk') {
      const source = label === 'live' ? live : await this.#system.source(api, 'disk')
      const { generation, source_hash, config_hash, files } = source
      const time = label === 'live' ? (this.#version(api, `g${generation}`)?.time ?? null) : null
      return { version: { label, generation, time, source_hash, config_hash }, files }
    }
    const record = this.#version(api, label)
    if (record?.version === undefined) throw coded('version_missing', { api, version: label })
    const { source_hash, config_hash, files } = record.version
    const texts: Record<string, string> = {}
    for (const [path, hash] of Object.entries(files)) {
      const text = await this.#store.text(hash)
      if (text === undefined) throw coded('version_missing', { api, version: label })
      texts[path] = text
    }
    const generation = Number(record.data['generation'])
    return { version: { label, generation, time: record.time, source_hash, config_hash }, files: texts }
  }

  /** `g2` is one of this process where there is one; `h12` is any. */
  #version(api: string, label: string): HistoryRecord | undefined {
    const [, kind, number] = /^([gh]?)(\d+)$/.exec(label) ?? []
    const versions = this.#store.records.filter((one) => one.data['api'] === api && one.version !== undefined)
    if (kind === 'h') return versions.find((one) => one.id === Number(number))
    const same = versions.filter((one) => one.data['generation'] === Number(number))
    return same.findLast((one) => one.boot === BOOT) ?? same.at(-1)
  }

  async why(subject: string): Promise<Why> {
    const [, id] = /^h(\d+)$/.exec(subject) ?? []
    if (id !== undefined) return this.#whyHappening(Number(id))
    const services = await this.#system.services()
    if (!services.some((one) => one.api === subject)) return whyCall(await this.#trace(subject), services)
    const detail = await this.#system.show(subject)
    const pending = await this.#system.plan()
    const around = await this.#system.plan([{ path: detail.config_file }])
    const { frozen } = await this.#system.status()
    return whyService({
      detail,
      frozen,
      happened: this.#happened(subject),
      pending: pending.find((one) => one.api === subject),
      callers: around.find((one) => one.api === subject)?.callers ?? [],
    })
  }

  async #trace(subject: string): Promise<Trace> {
    try {
      return await this.#kernel.getApi<TracesApi>('traces').show(subject)
    } catch (thrown) {
      const code = codeOf(thrown) ?? ''
      if (code !== 'trace_not_found' && code !== 'service_not_found') throw thrown
      throw coded('subject_unknown', { subject })
    }
  }

  #whyHappening(id: number): Why {
    const record = this.#store.records.find((one) => one.id === id)
    if (record === undefined) throw coded('subject_unknown', { subject: `h${id}` })
    const subject = tell(record)
    const later = this.#happened(subject.api ?? undefined).filter((one) => Number(one.id.slice(1)) > id)
    return whyHappening(subject, subject.api === null ? [] : later)
  }
}
