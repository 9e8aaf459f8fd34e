/**
 * The contract between the two halves of a sandbox. The engine (`modules/sandbox/engine/`) runs one version's code in an
 * isolate, in a process of its own or in this one, and speaks plain data only. The host (`modules/sandbox/host/`) is
 * what a kernel sees: a `ModuleHost` that chooses the place, checks grants, counts, and says what became of a guest.
 * A *guest* is one version of one service in one isolate. It is never repaired: a guest that broke a limit has ended.
 */
import type { ErrorData } from './errors.ts'
import type { CallOptions } from './module.ts'
import type { CodeOwner, Json } from './seams.ts'

/** `own`: a process for this module alone. `group`: one for all of its trust group. `inline`: an isolate in this process. */
export type Isolation = 'own' | 'group' | 'inline'

/** The keys of `sandbox:` in a config. Anything absent has its default (`SANDBOX_LIMITS`). */
export interface SandboxConfig extends Partial<GuestLimits> {
  isolation?: Isolation
  /** trust group: modules that may share a process. Default: the top folder of its `prog` */
  group?: string
  /** npm packages its code may import: pure ones, bundled into the isolate */
  packages?: string[]
}

export interface GuestLimits {
  /** heap of the isolate, buffers included */
  memory_mb: number
  /** processor time of one entry into the isolate */
  cpu_ms: number
  /** from asking to the answer, of one call; background work (`run`) has none */
  wall_ms: number
  /** share of one core over ten seconds, 0…1 */
  cpu_share: number
  /** of one message in either direction, checked before it crosses */
  message_bytes_max: number
  /** messages of the guest that are not yet taken, and within one entry */
  messages_max: number
}

export const SANDBOX_LIMITS: Readonly<GuestLimits> = {
  memory_mb: 64,
  cpu_ms: 1_000,
  wall_ms: 30_000,
  cpu_share: 0.8,
  message_bytes_max: 4 * 1024 * 1024,
  messages_max: 4_096,
}

/** What an isolate is given to run. Plain data: it crosses to another process. */
export interface GuestProgram {
  readonly owner: CodeOwner
  /** absolute path of the entry file */
  readonly entry: string
  /** absolute path → text as written (TypeScript or JavaScript), for every local file of the graph */
  readonly texts: Readonly<Record<string, string>>
  /** packages it may import */
  readonly packages: readonly string[]
  /** folders in which packages are looked for, first found wins */
  readonly packageFolders: readonly string[]
}

/** What is known of a guest's class once its code has been evaluated, before it is constructed. */
export interface GuestFacts {
  /** false: it exports no class `Module`; nothing else is set then */
  module: boolean
  needs?: string[]
  reload?: 'overlap' | 'quiesce'
  exclusive?: boolean
  drain_ms?: number
  version?: string
  /** lifecycle methods it has: `init run selfTest configure handOver takeOver shutdown getAspect` */
  has: string[]
  /** it exports `configSchema`: JSON Schema of it, and of which keys are volatile */
  configSchema?: { schema: Json; volatile: string[] }
}

/** One member of one aspect, as it is to be offered by the stand-in in this process. */
export interface GuestMember {
  name: string
  kind: 'call' | 'stream' | 'value' | 'tool'
  /** number of declared parameters */
  length: number
  /** of a tool */
  tool?: { description: string; schema: Json; deadline_ms?: number; read_only?: boolean }
}

/** What can be asked of a guest. Each may reject with what the guest threw, or with a `sandbox_…` code. */
export interface GuestAsk {
  /** Checks the config by the guest's own schema; the value with defaults filled in, or `bad_config` with its keys. */
  config: { ask: { config: unknown }; answer: unknown }
  /** Constructor and `init()`. */
  construct: { ask: { config: unknown }; answer: null }
  /** The members of an aspect; null when it has none of this name. */
  aspect: { ask: { name: string }; answer: GuestMember[] | null }
  selfTest: { ask: null; answer: null }
  configure: { ask: { config: unknown }; answer: null }
  /** Resolves when `run()` ends. No wall deadline. */
  run: { ask: null; answer: null }
  /** Aborts the signal of `run()` and of spawned work. */
  abort: { ask: null; answer: null }
  /** An `AbortSignal` anywhere in `args` crosses: it aborts there when it aborts here, until the answer has come. */
  call: { ask: { aspect: string; method: string; args: readonly unknown[] }; answer: unknown }
  /** Opens a stream, and gives its items one by one. */
  open: { ask: { stream: number; aspect: string; method: string; args: readonly unknown[] }; answer: null }
  next: { ask: { stream: number }; answer: { done: boolean; value: unknown } }
  close: { ask: { stream: number }; answer: null }
  handOver: { ask: null; answer: unknown }
  takeOver: { ask: { state: unknown; version: string }; answer: null }
  /** Releases one thing the guest has acquired (`own`, `every`, `cron`, `hold`, a subscription), by its number. */
  release: { ask: { id: number }; answer: null }
  /** One turn of `every` or `cron`, one event of a subscription, the work of a `spawn`. No wall deadline. */
  turn: { ask: { id: number; value?: unknown }; answer: unknown }
  shutdown: { ask: null; answer: null }
}

/** What a guest asks of the host: answered once, or rejected with a coded error. Nothing here is trusted. */
export interface HostAsk {
  /** `options` is what the module gave to `with(…)`; a signal in it, or in `args`, is a real one on this side. */
  call: {
    ask: { api: string; aspect: string; method: string; args: unknown[]; options?: CallOptions }
    answer: unknown
  }
  /** A stream of another service, item by item. */
  open: {
    ask: { stream: number; api: string; aspect: string; method: string; args: unknown[]; options?: CallOptions }
    answer: null
  }
  next: { ask: { stream: number }; answer: { done: boolean; value: unknown } }
  close: { ask: { stream: number }; answer: null }
  prompt: { ask: { path: string }; answer: { text: string; hash: string } }
}

/** What a guest tells, with no answer. Counted against `messages_max`. */
export type GuestTold =
  | { tell: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields?: Record<string, unknown> }
  | { tell: 'emit'; type: string; data: Record<string, unknown> }
  /** It acquired something; the host owns an entry of this label, which releases `id` in the guest. */
  | { tell: 'own'; id: number; label: string }
  /** Background work: to be run as a task of the version, by the question `turn`; `abort` ends it. */
  | { tell: 'spawn'; id: number; label: string }
  | { tell: 'every'; id: number; ms: number; label: string }
  | { tell: 'cron'; id: number; pattern: string; label: string }
  | { tell: 'on'; id: number; pattern: string }
  | { tell: 'released'; id: number }
  /** An error nobody awaits: a rejection, a timer's throw. */
  | { tell: 'fault'; error: GuestError; label?: string }

/** How an error crosses: flat strings, each cut at 8 KB, no path of this machine in it. */
export interface GuestError {
  name: string
  message: string
  stack: string
  code?: string
  hint?: string
}

/** Given by the host when it opens a guest. None may throw; none is called after `closed`. */
export interface GuestEvents {
  ask<K extends keyof HostAsk>(kind: K, what: HostAsk[K]['ask']): Promise<HostAsk[K]['answer']>
  told(what: GuestTold): void
  /**
   * The guest has ended without being asked to: once, before every open question is rejected with the same error.
   * Codes: `sandbox_cpu`, `sandbox_memory`, `sandbox_flood`, `sandbox_crashed`, `sandbox_host_died`.
   */
  closed(error: ErrorData): void
}

/** One guest. */
export interface Guest {
  readonly facts: GuestFacts
  /** Rejects with `sandbox_wall` after `wall_ms` (0: never); default: the limit, and never for `run`, `turn`, `next`. */
  ask<K extends keyof GuestAsk>(
    kind: K,
    what: GuestAsk[K]['ask'],
    options?: { wall_ms?: number },
  ): Promise<GuestAsk[K]['answer']>
  /** Ends it: after this nothing of it runs. Open questions are rejected with `stopped`. Idempotent, never rejects. */
  close(): Promise<void>
  /** Since it was opened. */
  usage(): Promise<{ cpu_ms: number; heap_bytes: number }>
}

/** Where guests run: a child process, or this process for `inline`. */
export interface GuestPlace {
  readonly kind: 'process' | 'inline'
  /** undefined when it is this process, or has ended */
  readonly pid: number | undefined
  /** guests that are open */
  readonly guests: number
  /**
   * Evaluates the program in a new isolate. Rejects with a coded error naming file, line and column (`syntax_error`,
   * `import_refused`, `module_threw`), or with a `sandbox_…` code when it broke a limit while it was evaluated.
   */
  open(program: GuestProgram, limits: GuestLimits, events: GuestEvents): Promise<Guest>
  /** From now on it gets the processor that is left by others. There is no way back. Never throws. */
  giveWay(): void
  /** Ends it and all its guests: SIGKILL for a process. Every open question is rejected once. Idempotent. */
  kill(reason: ErrorData): void
  /** Resolves when it has ended, with why. Never rejects. */
  readonly ended: Promise<ErrorData>
}

/** What the engine gives the host. */
export interface SandboxEngine {
  /** Whether isolates can be made here; the reason and how to mend it when not (`sandbox_unavailable`). */
  available(): ErrorData | undefined
  /** Starts a child process that is ready for guests. Its resident memory is held under `rss_mb_max` by killing it. */
  startProcess(options: { rss_mb_max: number }): Promise<GuestPlace>
  /** Isolates in this process, for guests that are merely buggy. */
  inline(): GuestPlace
}

/** `<service>.<method>`, `<service>.<method>:<argument pattern>`, `<service>@<aspect>.<method>`, `<service>.*`. */
export type GrantText = string

/** A power: what a module can do to another service. `argument` is what a pattern is compared with, where there is one. */
export interface Power {
  service: string
  aspect: string
  method: string
  argument?: string
}

/** `mm show`: what a version may do, did, and was refused. */
export interface PowersReport {
  granted: GrantText[]
  used: { power: string; count: number; last_at: number }[]
  refused: { power: string; count: number; last_at: number }[]
}

/** `mm show` of a service that runs in a sandbox: the version that serves, and what its service did so far. */
export interface SandboxReport extends PowersReport {
  isolation: Isolation
  /** which modules may share its process */
  group: string
  /** null when it runs in this process, or has ended */
  pid: number | null
  limits: GuestLimits
  /** times its code broke a limit, by error code */
  kills: Record<string, number>
}

/**
 * Decides on powers that a new version asks for and that its config does not grant. Answers the grants it adds for this
 * version; what they do not cover is refused. May reject: all is refused.
 */
export type ApprovePowers = (asked: {
  api: string
  source_key: string
  powers: readonly Power[]
}) => Promise<readonly GrantText[]>

/** What a change does to the powers of a service of which one version or both run in a sandbox. */
export interface PowersChange {
  /** by its config; null: outside of a sandbox, with every power */
  granted: { before: GrantText[] | null; after: GrantText[] | null }
  /** what its text asks for, as the smallest grants that would do */
  used: { before: GrantText[]; after: GrantText[] }
  /** lines its config would need: without them the version does not go live */
  missing: GrantText[]
}

/** What the static scan found in one local graph. */
export interface ScanReport {
  /** powers the code asks for by literal names: `getApi('database').query(…)` */
  powers: Power[]
  findings: ScanFinding[]
}

export interface ScanFinding {
  /** a row of `modules/sandbox/scan/rules.ts` */
  rule: string
  /** `refuse`: a sandboxed module with it is not loaded; `warn`: reported */
  severity: 'refuse' | 'warn'
  message: string
  /** what to use instead */
  instead: string
  file: string
  line: number
  column: number
}

/** Pure: no file is read. Fails closed: what cannot be parsed is a finding with `refuse`. */
export type ScanSource = (
  texts: Readonly<Record<string, string>>,
  options: { packages: readonly string[]; forbidden: readonly string[] },
) => ScanReport
