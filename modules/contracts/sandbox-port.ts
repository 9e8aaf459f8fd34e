/** What a kernel asks of the sandboxes, which outlive it: where services run, and where versions of them are tried. */
import type { GuestLimits, PowersChange, SandboxReport, ScanReport } from './sandbox.ts'
import type { CodeOwner, ModuleHost } from './seams.ts'
import type { DesiredService } from './state.ts'

/** What the meta file says about sandboxes. */
export interface SandboxPolicy {
  processes_max: number
  /** undefined: the list of the scan */
  forbidden_imports: readonly string[] | undefined
}

export interface SandboxTrial {
  packages: readonly string[]
  limits: Partial<GuestLimits>
  /** told errors nobody awaits */
  fault: (thrown: unknown) => void
}

/** A version as it runs, or as it would. */
export interface VersionText {
  service: DesiredService
  /** absolute path → text */
  texts: ReadonlyMap<string, string>
}

/** What a kernel asks of the sandboxes. Made by `run.ts`, outlives kernels. None of it throws. */
export interface SandboxPort {
  /** Where a service with `sandbox:` runs. */
  hostOf(service: DesiredService, policy: SandboxPolicy): ModuleHost
  /**
   * Where a version of it is tried: in a process of its own, never quarantined, and every power is open, since whoever
   * runs the trial answers. `packages`: what it may import besides.
   */
  trialHostOf(service: DesiredService, policy: SandboxPolicy, trial: SandboxTrial): ModuleHost
  /** What texts ask for, and what in them breaks a rule. Rejects with `sandbox_unavailable` where nothing can read them. */
  scan(texts: Readonly<Record<string, string>>, policy: SandboxPolicy, packages: readonly string[]): Promise<ScanReport>
  /** Undefined on either side: there is none. Rejects as `scan` does. Absent where the process began with an older one. */
  powersChange?(
    before: VersionText | undefined,
    after: VersionText | undefined,
    policy: SandboxPolicy,
  ): Promise<PowersChange>
  /** This version runs in one. */
  holds(owner: CodeOwner): boolean
  /** undefined when it does not */
  report(owner: CodeOwner): SandboxReport | undefined
  /** Takes the service's source out of quarantine. False when it is in none. */
  release(sourceKey: string): boolean
}
