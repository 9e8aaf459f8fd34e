/** What a change does to the powers of a service: by its config and by its text, before and after. Pure. */
import type { Power, PowersChange } from '../../contracts/sandbox.ts'
import type { VersionText } from '../../contracts/sandbox-port.ts'
import { sandboxOf } from '../../lib/sandbox-config.ts'
import { leastGrantOf, mayBeGranted, readGrants, type Grants } from './grants.ts'

/** The powers a version asks for by its text. */
export type PowersOf = (version: VersionText) => readonly Power[]

export function powersChange(
  before: VersionText | undefined,
  after: VersionText | undefined,
  powersOf: PowersOf,
): PowersChange {
  const asked = after === undefined ? [] : powersOf(after)
  const missing =
    after === undefined || isFree(after) ? [] : notGranted(asked, { ...after.service, grants: grantsOf(after) })
  return {
    granted: { before: grantedTo(before), after: grantedTo(after) },
    used: { before: grantLines(before === undefined ? [] : powersOf(before)), after: grantLines(asked) },
    missing: grantLines(missing),
  }
}

/** A service may always call itself. */
export const notGranted = (powers: readonly Power[], { api, grants }: { api: string; grants: Grants }): Power[] =>
  powers.filter((power) => power.service !== api && !mayBeGranted(grants, power))

/** As they would stand in a config. */
export const grantLines = (powers: readonly Power[]): string[] => [...new Set(powers.map(leastGrantOf))]

const isFree = ({ service }: VersionText): boolean => sandboxOf(service) === undefined

const grantsOf = ({ service }: VersionText): Grants => readGrants(service.grants)

function grantedTo(version: VersionText | undefined): string[] | null {
  if (version === undefined) return []
  return isFree(version) ? null : grantsOf(version).map(({ text }) => text)
}
