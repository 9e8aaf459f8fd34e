/**
 * Where a version of a service runs: in this process, or in a sandbox. A service that is to run in a sandbox never runs
 * without one. Also which services the meta file puts there: all that are neither the package's own nor trusted by name.
 */
import { join, sep } from 'node:path'
import type { ModuleHost } from '../contracts/seams.ts'
import type { AspectRoute, Contract, DesiredService, GenerationRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { inSandbox, sandboxOf } from '../lib/sandbox-config.ts'
import { isShipped } from '../lib/shipped.ts'
import type { Machine } from './machine.ts'
import type { Sandboxing } from './meta-values.ts'
import { findProg, type ProgPlaces } from './progs.ts'

/**
 * Throws `sandbox_unavailable`. A version that was kept from before is hosted by what the meta file says now, and a file of
 * the root that stands in the place of one of the package's as any other.
 */
export function hostFor(machine: Machine, desired: DesiredService, entry: string): ModuleHost {
  const { hostOf, loader, sandboxes, root, packageRoot } = machine.options
  const given = hostOf?.(desired)
  if (given !== undefined) return given
  const { enabled, trusted } = machine.meta.sandboxing
  const isFree = !enabled || isTrusted(trusted, desired.prog) || isOwn(entry, { root, packageRoot })
  if (isFree && sandboxOf(desired) === undefined) return loader
  if (sandboxes !== undefined) return sandboxes.hostOf(inSandbox(desired), machine.meta.sandboxPolicy)
  const details = { package: 'isolated-vm', node: process.versions.node, reason: 'this kernel was given none' }
  throw coded('sandbox_unavailable', details, { file: desired.file })
}

/** Aspects that were asked for; null: the answer has come. */
const asked = new WeakMap<Contract, Map<string, Promise<void> | null>>()

/** Code elsewhere is asked for an aspect once, before it is read. undefined: it can be read. */
export function fetchAspect(
  { aspect }: AspectRoute,
  { contract, evaluated }: GenerationRecord,
): Promise<void> | undefined {
  if (evaluated?.fetchAspect === undefined || contract === undefined || contract.aspects.has(aspect)) return undefined
  const sought = asked.get(contract) ?? new Map<string, Promise<void> | null>()
  asked.set(contract, sought)
  if (!sought.has(aspect)) {
    const fetched = evaluated.fetchAspect(aspect)
    sought.set(
      aspect,
      fetched.finally(() => sought.set(aspect, null)),
    )
  }
  return sought.get(aspect) ?? undefined
}

/** The same map, with those in a sandbox that the meta file puts there. */
export function putInSandboxes(
  services: Map<string, DesiredService>,
  { enabled, trusted }: Sandboxing,
  places: ProgPlaces,
): void {
  if (!enabled) return
  const listed = { ...places, listings: new Map(), progs: new Map(), found: new Map() }
  for (const [api, desired] of services) {
    if (!isTrusted(trusted, desired.prog) && !isOwn(fileOf(desired.prog, listed), places))
      services.set(api, inSandbox(desired))
  }
}

const isTrusted = (trusted: readonly string[], prog: string): boolean =>
  trusted.some((pattern) => matches(pattern, prog))

const matches = (pattern: string, prog: string): boolean =>
  new RegExp(`^${pattern.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*')}$`).test(prog)

const fileOf = (prog: string, places: ProgPlaces): string => {
  try {
    return findProg(prog, places)
  } catch {
    return ''
  }
}

/** Shipped with the package, and not a file of the root that stands in its place. */
function isOwn(file: string, { root, packageRoot }: Pick<ProgPlaces, 'root' | 'packageRoot'>): boolean {
  const shipped = join(packageRoot, 'modules') + sep
  return file.startsWith(shipped) && (root !== packageRoot || isShipped(file.slice(shipped.length)))
}
