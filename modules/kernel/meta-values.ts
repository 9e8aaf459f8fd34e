/**
 * The meta file's say over the kernel that it chose: limits, defaults of all services, what a root may override. As live
 * as any config, but for `prog`: another kernel is another swap. Used by `kernel.ts`.
 */
import { isDeepStrictEqual } from 'node:util'
import type { SandboxPolicy } from '../contracts/sandbox-port.ts'
import type { JsonMap } from '../contracts/seams.ts'
import { readMeta } from '../lib/meta-files.ts'
import { LIMITS, withLimits, type Limits } from './limits.ts'

/** Progs only the package may provide; a root shadows them only through the meta file's `overrides:`. */
const PROTECTED = ['kernel', 'loader', 'control/policy', 'control/approvals', 'control/ledger']

/** Which services the meta file puts into a sandbox. */
export interface Sandboxing {
  enabled: boolean
  /** progs that stay out of it, besides those of the package; `*` stands for anything */
  trusted: readonly string[]
}

const texts = (value: unknown): string[] | undefined => (Array.isArray(value) ? value.map(String) : undefined)

const asMap = (value: unknown): JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : {}

export class MetaValues {
  values: JsonMap
  /** what was looked at last */
  private text: string | undefined

  constructor(values: JsonMap) {
    this.values = values
  }

  get limits(): Limits {
    return withLimits(LIMITS, asMap(this.values['limits']))
  }

  get defaults(): JsonMap {
    return asMap(this.values['defaults'])
  }

  get sandboxing(): Sandboxing {
    return { enabled: this.values['enable_sandboxing'] === true, trusted: texts(this.values['trusted']) ?? [] }
  }

  get sandboxPolicy(): SandboxPolicy {
    const { sandbox_processes_max: processes_max } = this.limits
    return { processes_max, forbidden_imports: texts(this.values['forbidden_imports']) }
  }

  get protectedProgs(): Set<string> {
    const overridden = Object.keys(asMap(this.values['overrides']))
    return new Set(PROTECTED.filter((prog) => !overridden.includes(prog)))
  }

  /**
   * False when it says nothing new, or names another kernel: such values are not for this one. Throws when it is no
   * meta file, once a text.
   */
  take(path: string, text: string): boolean {
    if (text === this.text) return false
    this.text = text
    const values = readMeta(path, text)
    if (values['prog'] !== this.values['prog'] || isDeepStrictEqual(values, this.values)) return false
    this.values = values
    return true
  }
}
