/**
 * A `SandboxEngine` without a boundary: guests are plain JavaScript in this process, and places end when a test says so.
 * For what the host decides by itself (places, spares, grants, quarantine), where a real process would only be slower.
 */
import type { ErrorData } from '../../modules/contracts/errors.ts'
import type {
  Guest,
  GuestAsk,
  GuestEvents,
  GuestFacts,
  GuestMember,
  GuestPlace,
  GuestProgram,
  SandboxEngine,
} from '../../modules/contracts/sandbox.ts'
import { coded, fromErrorData, toErrorData } from '../../modules/lib/errors.ts'

type Instance = Record<string, (...args: unknown[]) => unknown>
type Class = new (kernel: unknown, config: unknown) => Instance

const LIFECYCLE = ['init', 'run', 'selfTest', 'configure', 'handOver', 'takeOver', 'shutdown', 'getAspect']

let loads = 0

class ScriptedGuest implements Guest {
  readonly facts: GuestFacts
  private readonly type: Class
  private readonly events: GuestEvents
  private readonly waiting = new Set<(error: Error) => void>()
  private instance: Instance | undefined
  private ended: ErrorData | undefined

  constructor(type: Class, events: GuestEvents) {
    this.type = type
    this.events = events
    const has = LIFECYCLE.filter((name) => typeof (type.prototype as Instance)[name] === 'function')
    this.facts = { module: true, has }
  }

  ask<K extends keyof GuestAsk>(kind: K, what: GuestAsk[K]['ask']): Promise<GuestAsk[K]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(fromErrorData(this.ended))
        return
      }
      this.waiting.add(reject)
      const work = (async () => this.answer(kind, what))()
      const over = (): boolean => this.waiting.delete(reject)
      work.then(
        (value) => over() && resolve(value as never),
        (thrown: unknown) => over() && reject(thrown),
      )
    })
  }

  private async answer(kind: keyof GuestAsk, what: unknown): Promise<unknown> {
    const { aspect, method = '', args = [] } = (what ?? {}) as { aspect?: string; method?: string; args?: unknown[] }
    switch (kind) {
      case 'construct':
        this.instance = new this.type(this.kernel(), (what as { config: unknown }).config)
        return this.instance['init']?.() ?? null
      case 'aspect':
        return (what as { name: string }).name === 'default' ? this.members() : null
      case 'call':
        return aspect === 'default' ? this.instance?.[method]?.(...args) : undefined
      default:
        return this.instance?.[kind]?.(what) ?? null
    }
  }

  private members(): GuestMember[] {
    const names = Object.getOwnPropertyNames(this.type.prototype)
    return names
      .filter((name) => name !== 'constructor' && !LIFECYCLE.includes(name))
      .map((name) => ({ name, kind: 'call', length: 0 }))
  }

  private kernel(): unknown {
    const { events } = this
    const call =
      (api: string, method: string) =>
      (...args: unknown[]) =>
        events.ask('call', { api, aspect: 'default', method, args })
    return {
      emit: (type: string) => events.told({ tell: 'emit', type, data: {} }),
      getApi: (api: string) => new Proxy({}, { get: (_target, method) => call(api, String(method)) }),
    }
  }

  get isOpen(): boolean {
    return this.ended === undefined
  }

  /** Ends it without being asked to. */
  end(error: ErrorData): void {
    if (this.ended !== undefined) return
    this.events.closed(error)
    this.over(error)
  }

  private over(error: ErrorData): void {
    this.ended = error
    for (const reject of this.waiting) reject(fromErrorData(error))
    this.waiting.clear()
  }

  close(): Promise<void> {
    if (this.ended === undefined) this.over(toErrorData(coded('stopped')))
    return Promise.resolve()
  }

  usage(): Promise<{ cpu_ms: number; heap_bytes: number }> {
    return Promise.resolve({ cpu_ms: 0, heap_bytes: 0 })
  }
}

export class ScriptedPlace implements GuestPlace {
  readonly kind: 'process' | 'inline'
  readonly ended: Promise<ErrorData>
  readonly opened: ScriptedGuest[] = []
  readonly rss_mb_max: number
  givesWay = false
  private reason: ErrorData | undefined
  private present: number | undefined
  private readonly number: number
  private resolveEnd: (error: ErrorData) => void = () => {}

  constructor(number: number, rss_mb_max: number, kind: 'process' | 'inline' = 'process') {
    this.number = number
    this.kind = kind
    this.rss_mb_max = rss_mb_max
    this.ended = new Promise((resolve) => {
      this.resolveEnd = resolve
    })
  }

  get pid(): number | undefined {
    return this.reason === undefined && this.kind === 'process' ? this.number : undefined
  }

  get guests(): number {
    return this.present ?? this.opened.filter(({ isOpen }) => isOpen).length
  }

  giveWay(): void {
    this.givesWay = true
  }

  async open({ entry, texts }: GuestProgram, _limits: unknown, events: GuestEvents): Promise<Guest> {
    if (this.reason !== undefined) throw fromErrorData(this.reason)
    const source = `${texts[entry] ?? ''}\n// ${++loads}`
    const { Module } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { Module: Class }
    const guest = new ScriptedGuest(Module, events)
    this.opened.push(guest)
    return guest
  }

  kill(reason: ErrorData): void {
    if (this.reason !== undefined) return
    this.reason = reason
    // All of them are there while they are told.
    this.present = this.guests
    for (const guest of this.opened.filter(({ isOpen }) => isOpen)) guest.end(reason)
    this.present = undefined
    this.resolveEnd(reason)
  }
}

export class ScriptedEngine implements SandboxEngine {
  readonly started: ScriptedPlace[] = []
  missing: ErrorData | undefined

  available(): ErrorData | undefined {
    return this.missing
  }

  get running(): ScriptedPlace[] {
    return this.started.filter(({ pid }) => pid !== undefined)
  }

  async startProcess({ rss_mb_max }: { rss_mb_max: number }): Promise<GuestPlace> {
    const place = new ScriptedPlace(1_000 + this.started.length, rss_mb_max)
    this.started.push(place)
    return place
  }

  inline(): GuestPlace {
    return new ScriptedPlace(0, 0, 'inline')
  }
}
