/**
 * What one guest acquires: the kernel owns an entry for each, released with the version, whose release is told to the
 * guest. Timed work, background work and subscriptions run in the guest by questions. Also its log lines and its events,
 * which are bounded and, for events, granted.
 */
import type { Guest, GuestError, GuestTold } from '../../contracts/sandbox.ts'
import type { KernelApi, Release } from '../../contracts/module.ts'
import { coded, codeOf } from '../../lib/errors.ts'
import type { AskedCall } from './grants.ts'

/** Entries a guest may own at once. */
const OWNED_MAX = 1_000
/** Lines of its log in a second; the rest is counted. */
const LOG_LINES_MAX = 200
const LOG_CHARS_MAX = 8_192
/** Events of a subscription that wait for the guest. */
const EVENTS_WAITING_MAX = 1_000
const EVERY_MS_MIN = 1

export interface OwnedOptions {
  kernel: KernelApi
  guest: () => Guest
  /** throws `grant_denied` */
  check: (call: AskedCall) => void
  /** an error nobody awaits. Must not throw. */
  fault: (thrown: unknown) => void
}

export class GuestOwned {
  private readonly options: OwnedOptions
  private readonly entries = new Map<number, Release>()
  private spawned = 0
  private ended = false
  private log = { since: 0, lines: 0, left: 0 }

  constructor(options: OwnedOptions) {
    this.options = options
  }

  /** Never throws: what is wrong is told as an error of the guest that nobody awaits. */
  told(what: GuestTold): void {
    if (this.ended) return
    try {
      this.take(what)
    } catch (thrown) {
      // A refused power was counted and logged; a flood of them is no flood of faults.
      if (codeOf(thrown) !== 'grant_denied') this.options.fault(thrown)
    }
  }

  /** Nothing of the guest is there any more: what the kernel releases later is not told to anybody. */
  end(): void {
    this.ended = true
    this.entries.clear()
  }

  private take(what: GuestTold): void {
    const { kernel } = this.options
    switch (what.tell) {
      case 'log':
        this.write(what.level, String(what.message), what.fields)
        break
      case 'emit':
        this.emit(String(what.type), what.data)
        break
      case 'own':
        this.own(what.id, (release) => kernel.own(release, text(what.label)))
        break
      case 'spawn':
        this.spawn(what.id, text(what.label))
        break
      case 'every':
        this.own(what.id, () =>
          kernel.every(Math.max(EVERY_MS_MIN, what.ms), () => this.turn(what.id), text(what.label)),
        )
        break
      case 'cron':
        this.own(what.id, () => kernel.cron(text(what.pattern), () => this.turn(what.id), text(what.label)))
        break
      case 'on':
        this.subscribe(what.id, String(what.pattern))
        break
      case 'released':
        this.released(what.id)
        break
      case 'fault':
        this.options.fault(errorOf(what.error))
        break
      default: {
        const never: never = what
        throw coded('bad_arguments', { api: kernel.api, reason: `it told ${String((never as GuestTold).tell)}` })
      }
    }
  }

  private own(id: number, acquire: (release: Release) => Release): void {
    const { kernel, guest } = this.options
    if (this.entries.size >= OWNED_MAX)
      throw coded('bad_arguments', { api: kernel.api, reason: `it owns more than ${OWNED_MAX} things` })
    const release = async (): Promise<void> => {
      if (this.entries.delete(id) && !this.ended) await guest().ask('release', { id })
    }
    this.entries.set(id, acquire(release))
  }

  private spawn(id: number, label: string): void {
    const { kernel } = this.options
    if (this.spawned >= OWNED_MAX)
      throw coded('bad_arguments', { api: kernel.api, reason: `${OWNED_MAX} pieces of its background work are open` })
    this.spawned++
    kernel.spawn(label, () => this.turn(id).finally(() => this.spawned--))
  }

  /** By the guest itself: the kernel's entry goes, and the guest is not told of it again. */
  private released(id: number): void {
    const release = this.entries.get(id)
    this.entries.delete(id)
    if (release !== undefined) void release()
  }

  private async turn(id: number, value?: unknown): Promise<unknown> {
    if (this.ended) return undefined
    return this.options.guest().ask('turn', value === undefined ? { id } : { id, value })
  }

  private subscribe(id: number, pattern: string): void {
    const { kernel } = this.options
    this.check('on', pattern)
    let waiting = 0
    this.own(id, () =>
      // What it returns is the kernel's to watch.
      kernel.events.on(pattern, (event): unknown => {
        if (waiting >= EVENTS_WAITING_MAX || this.ended) return undefined
        waiting++
        return this.turn(id, event).finally(() => waiting--)
      }),
    )
  }

  private emit(type: string, data: unknown): void {
    this.check('emit', type)
    this.options.kernel.events.emit(type, { ...(data as object) })
  }

  /** Events under its own name are its own. */
  private check(method: 'on' | 'emit', name: string): void {
    if (name.startsWith(`${this.options.kernel.api}.`)) return
    this.options.check({ service: 'events', aspect: 'default', method, args: [name] })
  }

  private write(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: unknown): void {
    const { kernel } = this.options
    const now = kernel.clock.monotonic()
    if (now - this.log.since >= 1_000) this.log = { since: now, lines: 0, left: this.log.left }
    if (++this.log.lines > LOG_LINES_MAX) {
      this.log.left++
      return
    }
    const more = this.log.left === 0 ? '' : ` (and ${this.log.left} lines were left out)`
    this.log.left = 0
    const write = { debug: kernel.log.debug, info: kernel.log.info, warn: kernel.log.warn, error: kernel.log.error }[
      level
    ]
    write?.call(kernel.log, `${message.slice(0, LOG_CHARS_MAX)}${more}`, plainFields(fields))
  }
}

const text = (given: unknown): string => String(given).slice(0, 200)

/** What would fill the log, or is no JSON, is left out. */
function plainFields(fields: unknown): Record<string, unknown> | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined
  try {
    return JSON.stringify(fields).length <= LOG_CHARS_MAX ? { ...fields } : undefined
  } catch {
    return undefined
  }
}

const errorOf = ({ name, message, stack, code, hint }: GuestError): Error =>
  Object.assign(new Error(message), { name, stack, ...(code && { code }), ...(hint && { hint }) })
