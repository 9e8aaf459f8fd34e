/**
 * The module host of one service that runs in a sandbox, by one config. Before any of its code runs, the source is
 * looked up in the quarantine and scanned, and the powers it asks for are compared with those it has. Then a guest is
 * opened in the place that its isolation names, and a stand-in is given to the kernel. Called by `sandboxes.ts`.
 */
import type { ErrorData } from '../../contracts/errors.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type {
  Guest,
  GuestEvents,
  GuestLimits,
  GuestProgram,
  Isolation,
  SandboxReport,
} from '../../contracts/sandbox.ts'
import type { CodeOwner, Evaluated, ModuleHost, Scan } from '../../contracts/seams.ts'
import { coded, codeOf, fromErrorData, toErrorData } from '../../lib/errors.ts'
import type { Grant } from '../../lib/grant-text.ts'
import { within } from '../../lib/within.ts'
import { configSchemaOf } from './config-schema.ts'
import { GuestCalls } from './guest-calls.ts'
import { GuestOwned } from './guest-owned.ts'
import type { AskedCall } from './grants.ts'
import type { Lease } from './places.ts'
import { StandIn } from './stand-in.ts'
import type { HostedVersion, ServiceParts } from './sandboxes.ts'

/** One service's config, as the host needs it. */
export interface HostedService {
  api: string
  configFile: string
  isolation: Isolation
  group: string
  limits: GuestLimits
  packages: readonly string[]
  grants: readonly Grant[]
  /** every power is open: whoever runs the trial answers what it asks */
  isTrial?: boolean
}

/** Ends of a guest by its own doing. A process that died may have died of any guest in it. */
const OWN_DOING: ReadonlySet<string> = new Set(['sandbox_cpu', 'sandbox_memory', 'sandbox_flood', 'sandbox_crashed'])

export class SandboxHost implements ModuleHost {
  private readonly service: HostedService
  private readonly parts: ServiceParts

  constructor(service: HostedService, parts: ServiceParts) {
    this.service = service
    this.parts = parts
  }

  async evaluate(scan: Scan, owner: CodeOwner, { evaluate_ms }: { evaluate_ms: number }): Promise<Evaluated> {
    if (scan.error !== undefined) throw fromErrorData(scan.error)
    const { clock, quarantine } = this.parts
    const refused = quarantine.of(scan.key)
    if (refused !== undefined) throw Object.assign(refused, { file: scan.entry })
    const given = await this.parts.review(scan, this.service)
    const version = new SandboxedVersion(
      this.parts,
      { ...this.service, grants: [...this.service.grants, ...given] },
      scan,
      owner,
    )
    const opening = version.open()
    const late = (): Error => coded('module_timeout', { ms: evaluate_ms }, { file: scan.entry })
    try {
      return await within(clock, evaluate_ms, opening, late)
    } catch (thrown) {
      // What comes too late, or half, is ended all the same.
      void opening.catch(() => undefined).then(() => version.release())
      throw thrown
    }
  }
}

/** One version: its guest, where that is, and what it owns here. */
class SandboxedVersion implements HostedVersion {
  private readonly parts: ServiceParts
  private readonly service: HostedService
  private readonly scan: Scan
  readonly owner: CodeOwner
  private lease: Lease | undefined
  private guest: Guest | undefined
  private calls: GuestCalls | undefined
  private owned: GuestOwned | undefined
  private standIn: StandIn | undefined
  private ended: ErrorData | undefined
  private released = false
  /** its end was counted */
  private broken = false

  constructor(parts: ServiceParts, service: HostedService, scan: Scan, owner: CodeOwner) {
    this.parts = parts
    this.service = service
    this.scan = scan
    this.owner = owner
  }

  async open(): Promise<Evaluated> {
    const { service, parts } = this
    const { memory_mb } = service.limits
    const places = await parts.places()
    const { processes_max } = parts.policy
    const lease = await places.take({ ...service, memory_mb, processes_max })
    this.lease = lease
    try {
      this.guest = await lease.place.open(this.program(), service.limits, this.events())
    } catch (thrown) {
      this.broke(toErrorData(thrown))
      throw thrown
    }
    const stand = new StandIn(this.guest, (kernel) => this.constructed(kernel))
    this.standIn = stand
    if (this.ended !== undefined) stand.end(this.ended)
    parts.versions.add(this)
    const { guest } = this
    const { facts } = guest
    return {
      exports: facts.module ? { Module: stand.Module, configSchema: configSchemaOf(facts) } : {},
      release: () => this.release(),
      fetchState: () => stand.fetchState(),
      stateArrived: () => stand.stateArrived(),
      configured: () => stand.configured(),
      fetchAspect: (name) => stand.fetchAspect(name),
      usage: () => guest.usage(),
    }
  }

  /** Nothing of it runs after this. Idempotent. */
  release(): void {
    if (this.released) return
    this.released = true
    this.parts.versions.delete(this)
    this.calls?.end()
    this.owned?.end()
    const { lease, guest } = this
    if (guest === undefined) lease?.release()
    else void guest.close().then(() => lease?.release())
  }

  private program(): GuestProgram {
    const { scan, owner, service, parts } = this
    return {
      owner,
      entry: scan.entry,
      texts: Object.fromEntries(scan.texts),
      packages: service.packages,
      packageFolders: parts.packageFolders,
    }
  }

  private constructed(kernel: KernelApi): void {
    const { grants, configFile, isTrial } = this.service
    const check = (call: AskedCall): void => {
      if (isTrial !== true) this.parts.powers.check(grants, call, configFile)
    }
    this.calls = new GuestCalls(kernel, check)
    this.owned = new GuestOwned({
      kernel,
      check,
      guest: () => this.guest as Guest,
      fault: (thrown) => this.parts.fault(thrown, this.owner),
    })
  }

  private events(): GuestEvents {
    return {
      // Before it is constructed it has nobody to speak for it.
      ask: (kind, what) => this.calls?.ask(kind, what) ?? Promise.reject(coded('stopped')),
      told: (what) => this.owned?.told(what),
      closed: (error) => this.closed(error),
    }
  }

  private closed(error: ErrorData): void {
    if (this.released || this.ended !== undefined) return
    this.calls?.end()
    this.owned?.end()
    this.ended = this.broke(error)
    this.standIn?.end(this.ended)
  }

  /** Counts the end of a guest once. Returns what is told of it. */
  private broke(error: ErrorData): ErrorData {
    if (this.broken || !(codeOf(error) ?? '').startsWith('sandbox_')) return error
    this.broken = true
    const { parts, service, scan } = this
    parts.noteKill(error.code)
    const isAlone = error.code === 'sandbox_host_died' && this.lease?.place.guests === 1
    const isOwn = isAlone || OWN_DOING.has(error.code)
    const off = isOwn ? parts.quarantine.killed(service.api, scan.key, error) : undefined
    return off === undefined ? error : toErrorData(off)
  }

  report(): SandboxReport {
    const { isolation, group, limits, grants } = this.service
    const { powers, kills } = this.parts
    const granted = grants.map(({ text }) => text)
    const pid = this.ended === undefined ? (this.lease?.place.pid ?? null) : null
    return { isolation, group, pid, limits, kills: { ...kills }, ...powers.report(granted) }
  }
}
