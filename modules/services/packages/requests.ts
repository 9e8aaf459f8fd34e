/** What was asked for and what became of it: plain records and the steps between them. Pure; `index.ts` keeps them. */
import semver from 'semver'
import type { PackageRequest } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'

const NAME = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/
const NAME_CHARS_MAX = 214
const REASON_CHARS_MAX = 500
const ASKING_MAX = 50

/** One exact version, as the registry names it: nothing that could stand for another one tomorrow. */
export function readPackage(name: unknown, version: unknown): string {
  const id = `${String(name)}@${String(version)}`.slice(0, NAME_CHARS_MAX + 80)
  if (typeof name !== 'string' || name.length > NAME_CHARS_MAX || !NAME.test(name))
    throw coded('package_name', { id, reason: 'the name is not one of the registry' })
  if (typeof version !== 'string' || semver.valid(version) !== version)
    throw coded('package_name', { id, reason: 'the version is not exact' })
  return `${name}@${version}`
}

/** The list with this request in it; the same list when it was asked for already. */
export function withRequest(
  list: readonly PackageRequest[],
  asked: { name: string; version: string; reason: unknown; by: string; now: number },
): PackageRequest[] {
  const { name, version, by, now } = asked
  const id = readPackage(name, version)
  const reason = String(asked.reason ?? '').trim()
  if (reason === '' || reason.length > REASON_CHARS_MAX)
    throw coded('bad_arguments', { api: 'packages', reason: `say why, in 1 to ${REASON_CHARS_MAX} characters` })
  const known = list.find((one) => one.id === id)
  if (known === undefined && list.filter((one) => one.state === 'pending').length >= ASKING_MAX)
    throw coded('package_refused', { id, reason: `${ASKING_MAX} others wait for a decision` })
  const requested_by = [...new Set([...(known?.requested_by ?? []), by])].slice(0, ASKING_MAX)
  const fresh = { id, name, version, reason, requested_at: now, decided_at: null, integrity: null, error: null }
  // What was removed may be asked for anew.
  const next: PackageRequest =
    known === undefined || known.state === 'removed'
      ? { ...fresh, requested_by, state: 'pending' }
      : { ...known, requested_by }
  return [...list.filter((one) => one.id !== id), next]
}

export function find(list: readonly PackageRequest[], id: string): PackageRequest {
  const found = list.find((one) => one.id === id)
  if (found === undefined) throw coded('package_unknown', { id: String(id) })
  return found
}

export const replaced = (list: readonly PackageRequest[], next: PackageRequest): PackageRequest[] =>
  list.map((one) => (one.id === next.id ? next : one))

/** It is there now, in place of any other version of it. */
export const installed = (list: readonly PackageRequest[], id: string, integrity: string): PackageRequest[] => {
  const { name } = find(list, id)
  return list.map((one): PackageRequest => {
    if (one.id === id) return { ...one, state: 'installed', integrity, error: null }
    return one.name === name && one.state === 'installed' ? { ...one, state: 'removed' } : one
  })
}
