/**
 * The sandboxes of one process: made by `run.ts` beside the loader, given to each kernel, and outliving all of them, so
 * that a new kernel changes nothing for what runs here. Gives each service its host, keeps what is counted over versions,
 * and ends all processes at the end. The engine and the scan are loaded when the first service needs them.
 */
import { join } from 'node:path'
import type {
  ApprovePowers,
  PowersChange,
  SandboxEngine,
  SandboxReport,
  ScanReport,
  ScanSource,
} from '../../contracts/sandbox.ts'
import type { SandboxPolicy, SandboxPort, SandboxTrial, VersionText } from '../../contracts/sandbox-port.ts'
import { SANDBOX_LIMITS } from '../../contracts/sandbox.ts'
import type { Clock, CodeOwner, FaultListener, FileSystem, Log, ModuleHost, Scan } from '../../contracts/seams.ts'
import type { DesiredService } from '../../contracts/state.ts'
import { coded, reasonOf, toErrorData } from '../../lib/errors.ts'
import type { Grant } from '../../lib/grant-text.ts'
import { limitsOfGuest, sandboxOf } from '../../lib/sandbox-config.ts'
import { readGrants } from './grants.ts'
import { Places } from './places.ts'
import { Powers } from './powers.ts'
import { Quarantine } from './quarantine.ts'
import { powersChange } from './powers-change.ts'
import { ownTexts, review } from './review.ts'
import { SandboxHost, type HostedService } from './sandbox-host.ts'

export interface SandboxesOptions {
  root: string
  packageRoot: string
  fs: FileSystem
  clock: Clock
  log: Log
  /** told errors nobody awaits, with whose they are */
  fault: FaultListener
  load: () => Promise<{ engine: SandboxEngine; scan: ScanSource; forbidden: readonly string[] }>
  /** decides on powers a version asks for beyond its grants. @default all are refused */
  approve?: ApprovePowers
}

/** What the versions of one service share. */
export interface ServiceParts {
  readonly clock: Clock
  readonly quarantine: Pick<Quarantine, 'of' | 'killed'>
  readonly powers: Powers
  readonly kills: Record<string, number>
  readonly policy: SandboxPolicy
  readonly packageFolders: readonly string[]
  readonly fault: FaultListener
  readonly versions: Versions
  places(): Promise<Places>
  review(scan: Scan, service: HostedService): Promise<Grant[]>
  noteKill(code: string): void
}

export interface HostedVersion {
  readonly owner: CodeOwner
  report(): SandboxReport
}

const keyOf = ({ service, generation }: CodeOwner): string => `${service} ${generation}`

/** The versions that are there, by who owns them. */
export class Versions {
  private readonly versions = new Map<string, HostedVersion>()

  get size(): number {
    return this.versions.size
  }

  add(version: HostedVersion): void {
    this.versions.set(keyOf(version.owner), version)
  }

  delete(version: HostedVersion): void {
    const key = keyOf(version.owner)
    // A number that never went live is given again.
    if (this.versions.get(key) === version) this.versions.delete(key)
  }

  of(owner: CodeOwner): HostedVersion | undefined {
    return this.versions.get(keyOf(owner))
  }
}

export class Sandboxes implements SandboxPort {
  readonly versions = new Versions()
  private readonly options: SandboxesOptions
  private readonly quarantine: Quarantine
  private readonly counts = new Map<string, { powers: Powers; kills: Record<string, number> }>()
  private loaded: Promise<{ places: Places; scan: ScanSource; forbidden: readonly string[] }> | undefined

  constructor(options: SandboxesOptions) {
    this.options = options
    this.quarantine = new Quarantine(options)
  }

  hostOf(desired: DesiredService, policy: SandboxPolicy): ModuleHost {
    return new SandboxHost(hostedService(desired, false), this.partsOf(desired, policy))
  }

  /** Code that no person has approved runs here and nowhere else. */
  trialHostOf(desired: DesiredService, policy: SandboxPolicy, trial: SandboxTrial): ModuleHost {
    const { api, packages, limits, ...service } = hostedService(desired, true)
    const parts = this.partsOf(desired, policy)
    const more = [...new Set([...packages, ...trial.packages])]
    return new SandboxHost(
      { ...service, api, isTrial: true, packages: more, limits: { ...limits, ...trial.limits } },
      // What a trial breaks is the trial's own: neither the source nor the service is blamed for it.
      { ...parts, fault: trial.fault, quarantine: NO_QUARANTINE, noteKill: () => undefined },
    )
  }

  async scan(
    texts: Readonly<Record<string, string>>,
    policy: SandboxPolicy,
    packages: readonly string[],
  ): Promise<ScanReport> {
    const { scan, forbidden } = await this.load()
    return scan(texts, {
      packages: [...new Set([...PACKAGES, ...packages])],
      forbidden: policy.forbidden_imports ?? forbidden,
    })
  }

  async powersChange(
    before: VersionText | undefined,
    after: VersionText | undefined,
    policy: SandboxPolicy,
  ): Promise<PowersChange> {
    const { scan, forbidden } = await this.load()
    const list = policy.forbidden_imports ?? forbidden
    return powersChange(before, after, ({ service, texts }) => {
      const { packages } = hostedService(service, false)
      return scan(ownTexts(texts, this.options.packageRoot), { packages, forbidden: list }).powers
    })
  }

  report(owner: CodeOwner): SandboxReport | undefined {
    return this.versions.of(owner)?.report()
  }

  holds(owner: CodeOwner): boolean {
    return this.versions.of(owner) !== undefined
  }

  release(sourceKey: string): boolean {
    return this.quarantine.release(sourceKey)
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const loaded = await this.loaded?.catch(() => undefined)
    loaded?.places.close(toErrorData(coded('stopped')))
  }

  private load(): NonNullable<Sandboxes['loaded']> {
    this.loaded ??= this.options.load().then(
      ({ engine, ...rest }) => ({ places: new Places(engine), ...rest }),
      (thrown: unknown) => {
        // It may be installed by the next try.
        this.loaded = undefined
        const details = { package: 'isolated-vm', node: process.versions.node, reason: reasonOf(thrown) }
        throw coded('sandbox_unavailable', details, {}, thrown)
      },
    )
    return this.loaded
  }

  private partsOf({ api }: DesiredService, policy: SandboxPolicy): ServiceParts {
    const { clock, root, packageRoot, fault, approve, log } = this.options
    let counts = this.counts.get(api)
    if (counts === undefined) {
      counts = { powers: new Powers(api, clock, log), kills: {} }
      this.counts.set(api, counts)
    }
    const { kills } = counts
    return {
      ...counts,
      clock,
      fault,
      policy,
      quarantine: this.quarantine,
      versions: this.versions,
      packageFolders: [root, packageRoot, join(root, 'runtime', 'packages')].map((folder) =>
        join(folder, 'node_modules'),
      ),
      places: async () => (await this.load()).places,
      review: async (scan, service) => {
        const loaded = await this.load()
        const forbidden = policy.forbidden_imports ?? loaded.forbidden
        return review({ scan: loaded.scan, packageRoot, forbidden, approve }, scan, service)
      },
      noteKill: (code) => {
        kills[code] = (kills[code] ?? 0) + 1
      },
    }
  }
}

const NO_QUARANTINE: Pick<Quarantine, 'of' | 'killed'> = { of: () => undefined, killed: () => undefined }

/** Packages that any guest may import, besides those its config names. */
const PACKAGES = ['zod', 'meta-machine']

/** Pure. `unapproved`: no person has looked at its code, so it shares a process with nothing. */
export function hostedService(desired: DesiredService, unapproved: boolean): HostedService {
  const config = sandboxOf(desired) ?? {}
  return {
    api: desired.api,
    configFile: desired.file,
    isolation: unapproved ? 'own' : (config.isolation ?? 'group'),
    group: config.group ?? desired.prog.split('/')[0] ?? desired.prog,
    limits: limitsOfGuest(config, SANDBOX_LIMITS),
    packages: [...new Set([...PACKAGES, ...(config.packages ?? [])])],
    grants: readGrants(desired.grants),
  }
}
