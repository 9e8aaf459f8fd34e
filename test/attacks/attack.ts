/**
 * What an attack is: a module that nobody trusts, what is asked of it, and how that has to end. Cases are data, so that
 * the same ones run on the product, on one guard less (`mutations.ts`), and in `mm demo sandbox`.
 */
import type { SandboxConfig } from '../../modules/contracts/sandbox.ts'

export interface Attack {
  /** a number of the list the corpus began with, or a name */
  id: string
  title: string
  /** what is expected to stop it */
  guard: string
  /** members of the class `Module`, which has `this.kernel` and `this.config`; `top` stands before it */
  body?: string
  top?: string
  /** the whole file, in place of both */
  source?: string
  sandbox?: SandboxConfig
  grants?: string[]
  /** its config, besides */
  config?: string
  /** one after the other; the last one's outcome counts. Default: `attack()` */
  calls?: [method: string, ...args: unknown[]][]
  /** done while the last call is under way */
  meanwhile?: 'kill its process' | 'remove its config'
  expect: Outcome
  /**
   * afterwards: it answers as before, a new one answers, either of both, or nothing does; `quarantined`: nothing does
   * when it was done a few times. Default: `lives`, after `refused` `gone` */
  after?: 'lives' | 'rebuilt' | 'answers' | 'gone' | 'quarantined'
  /** its process is `gone` then, or had neither an environment nor leave for anything (`bare`) when it began */
  process?: 'gone' | 'bare'
}

export type Outcome =
  | { value: unknown }
  /** the caller gets one of these codes (several where V8 decides which way it goes), for a reason that says this */
  | { code: string | string[]; reason?: string }
  /** it never goes live, for this reason */
  | { refused: string | string[] }

/** Everything a case may name without saying so: small limits, so that attacks end soon. */
export const LIMITS: SandboxConfig = { cpu_ms: 400, wall_ms: 10_000, memory_mb: 32 }

/** Text that the scan does not read as a name: it is a lint, and attackers know it. */
export const HIDDEN = "const hidden = (...parts) => parts.join('')\nconst CTOR = hidden('con', 'structor')\n"

export function sourceOf({ source, top = '', body = '' }: Attack): string {
  return (
    source ??
    `${HIDDEN}${top}
export class Module {
  constructor(kernel, config) { this.kernel = kernel; this.config = config }
  alive() { return 'alive' }
  ${body}
}
`
  )
}
