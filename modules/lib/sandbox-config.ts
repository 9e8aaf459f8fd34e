/**
 * What `sandbox:` and `grants:` of a config may say, and which services run in a sandbox. Pure. Used by the kernel for
 * configs and for the meta file's `enable_sandboxing:`, and by the sandbox host.
 */
import type { GuestLimits, Isolation, SandboxConfig } from '../contracts/sandbox.ts'
import type { Json, JsonMap } from '../contracts/seams.ts'
import type { DesiredService } from '../contracts/state.ts'
import { parseGrant } from './grant-text.ts'
import { shortHash } from './hash.ts'

/** What is wrong, and under which keys it stands. */
export interface WrongValue {
  path: (string | number)[]
  reason: string
}

type Check = (value: Json) => string | undefined

const within =
  (min: number, max: number, unit: string): Check =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? undefined
      : `it must be a number of ${unit} from ${min} to ${max}`

const ISOLATIONS: readonly Isolation[] = ['own', 'group', 'inline']
const NAME = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$/
const PACKAGE = /^(?:@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*$/

const KEYS: Record<keyof Required<SandboxConfig>, Check> = {
  memory_mb: within(8, 4_096, 'megabytes'),
  cpu_ms: within(1, 60_000, 'milliseconds'),
  wall_ms: within(1, 3_600_000, 'milliseconds'),
  cpu_share: within(0.01, 1, 'cores'),
  message_bytes_max: within(1_024, 67_108_864, 'bytes'),
  messages_max: within(16, 65_536, 'messages'),
  isolation: (value) =>
    ISOLATIONS.includes(value as Isolation) ? undefined : `it must be one of ${ISOLATIONS.join(', ')}`,
  group: (value) => (typeof value === 'string' && NAME.test(value) ? undefined : 'it must be a name'),
  packages: (value) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string' && PACKAGE.test(one))
      ? undefined
      : 'it must be a list of npm package names',
}

export const SANDBOX_KEYS = Object.keys(KEYS) as (keyof typeof KEYS)[]

const isMap = (value: unknown): value is JsonMap => typeof value === 'object' && value !== null && !Array.isArray(value)

export function wrongSandbox(value: Json): WrongValue | undefined {
  if (typeof value === 'boolean') return undefined
  if (!isMap(value)) return { path: [], reason: 'it must be true, false or a map of limits' }
  for (const [key, one] of Object.entries(value)) {
    const check = Object.hasOwn(KEYS, key) ? KEYS[key as keyof typeof KEYS] : undefined
    const reason = check === undefined ? `it is not one of ${SANDBOX_KEYS.join(', ')}` : check(one)
    if (reason !== undefined) return { path: [key], reason }
  }
  return undefined
}

const GRANT_FORM =
  'it must be `service.method`, `service.*` or `service@aspect.method`, with `:pattern` where it has one'

export function wrongGrants(value: Json): WrongValue | undefined {
  if (!Array.isArray(value)) return { path: [], reason: 'it must be a list, as `- database.query`' }
  const at = value.findIndex((one) => typeof one !== 'string' || parseGrant(one) === undefined)
  return at < 0 ? undefined : { path: [at], reason: GRANT_FORM }
}

/** undefined: it runs in this process. */
export function sandboxOf({ sandbox }: Pick<DesiredService, 'sandbox'>): SandboxConfig | undefined {
  if (sandbox === true) return {}
  return isMap(sandbox) ? sandbox : undefined
}

/** The limits a config leaves out have their defaults. */
export const limitsOfGuest = (config: SandboxConfig, defaults: Readonly<GuestLimits>): GuestLimits => {
  const { isolation: _isolation, group: _group, packages: _packages, ...own } = config
  return { ...defaults, ...own }
}

const sandboxed = new WeakMap<DesiredService, DesiredService>()

/**
 * The same service in a sandbox, where the meta file says so: `sandbox: false` does not get it out. Equal services give
 * the very same object again. Its hash differs, so that switching is a change like any other.
 */
export function inSandbox(desired: DesiredService): DesiredService {
  if (sandboxOf(desired) !== undefined) return desired
  let made = sandboxed.get(desired)
  if (made === undefined) {
    made = { ...desired, sandbox: true, hash: shortHash(`${desired.hash} in a sandbox`) }
    sandboxed.set(desired, made)
  }
  return made
}
