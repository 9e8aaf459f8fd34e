/**
 * Errors on their way out: what a service threw may hold a secret or a path of this machine. Both are taken out here, of
 * refusals and of the errors that stand in answers. Secrets are read anew at most once a second, and only when there is
 * an error to clean.
 */
import { readdirSync } from 'node:fs'
import type { ErrorData } from '../../contracts/errors.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import { withoutPaths } from '../../lib/machine-paths.ts'
import { Redactor } from '../../lib/redact.ts'
import { secretValues } from '../../lib/secret-values.ts'

const READ_MS = 1_000

type Clean = (text: string) => string

export class Cleaner {
  readonly #kernel: Pick<KernelApi, 'clock' | 'paths'>
  readonly #system: Handle<KernelServiceApi>
  readonly #top: readonly string[]
  #made: { clean: Promise<Clean>; at: number } | undefined

  constructor(kernel: Pick<KernelApi, 'clock' | 'paths'>, system: Handle<KernelServiceApi>) {
    this.#kernel = kernel
    this.#system = system
    this.#top = topFolders()
  }

  /** Of an error that refuses a request. */
  async error<T extends ErrorData>(error: T): Promise<T> {
    return cleaned(error, await this.cleaner())
  }

  /** An answer as JSON, the errors in it cleaned. */
  async text(answer: unknown): Promise<string> {
    if (!holdsError(answer)) return JSON.stringify(answer)
    return JSON.stringify(withCleanErrors(answer, await this.cleaner()))
  }

  /** What takes them out of a text. */
  cleaner(): Promise<Clean> {
    const now = this.#kernel.clock.monotonic()
    if (this.#made === undefined || now - this.#made.at > READ_MS) this.#made = { clean: this.#make(), at: now }
    return this.#made.clean
  }

  async #make(): Promise<Clean> {
    const { root, runtime } = this.#kernel.paths
    // A kernel that cannot tell its configs must not keep an error from being told.
    const configs = await this.#system.configs().catch(() => [])
    const redactor = new Redactor(secretValues(configs, runtime, process.env))
    return (text) => withoutPaths(redactor.text(text), root, this.#top)
  }
}

const cleaned = <T extends ErrorData>(error: T, clean: Clean): T => ({
  ...error,
  message: clean(error.message),
  hint: clean(error.hint),
})

/** A copy where something was cleaned, the value itself elsewhere: a list of a thousand may hold one error. */
function withCleanErrors(value: unknown, clean: Clean): unknown {
  if (typeof value !== 'object' || value === null) return value
  const own = isError(value) ? cleaned(value, clean) : value
  if (Array.isArray(own)) return own.map((one: unknown) => withCleanErrors(one, clean))
  let copy: Record<string, unknown> | undefined
  for (const [key, one] of Object.entries(own)) {
    const next = withCleanErrors(one, clean)
    if (next !== one) copy = { ...(copy ?? own), [key]: next }
  }
  return copy ?? own
}

function topFolders(): string[] {
  try {
    return readdirSync('/', { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []))
  } catch {
    return []
  }
}

function isError(value: unknown): value is ErrorData {
  if (typeof value !== 'object' || value === null) return false
  const { code, message, hint } = value as Partial<ErrorData>
  return typeof code === 'string' && typeof message === 'string' && typeof hint === 'string'
}

function holdsError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isError(value) || Object.values(value).some(holdsError)
}
