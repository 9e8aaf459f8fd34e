/**
 * Volatile keys: a config that differs only in keys the module's schema marks `.meta({ volatile: true })` is delivered
 * by `configure(next)` to the version that serves, without a new one. Called by the reconciler before a movement.
 */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { GenerationRecord } from '../contracts/state.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonMap } from '../contracts/seams.ts'
import { coded, reasonOf } from '../lib/errors.ts'
import { keep } from './install.ts'
import { readConfig } from './generation.ts'
import type { Machine } from './machine.ts'
import { failedReload, unchanged } from './refuse.ts'
import type { Member } from './switch.ts'

/** undefined when a new version is needed. A refusal leaves the earlier values in force. */
export function configure(
  machine: Machine,
  member: Member,
  since: number,
): ReloadResult | Promise<ReloadResult> | undefined {
  const { service, desired } = member
  const { live } = service
  if (live === undefined || !isVolatileOnly(live, member)) return undefined
  const configSchema = live.evaluated?.exports['configSchema']
  const keys = changedKeys(live.desired.params, desired.params)
  try {
    const next = readConfig(machine, member, configSchema)
    const elsewhere = deliver(machine, live, next)
    if (elsewhere === undefined) return accepted(machine, member, live, keys, since)
    return elsewhere.then(
      () => accepted(machine, member, live, keys, since),
      (thrown: unknown) => refused(machine, member, live, thrown, since),
    )
  } catch (thrown) {
    return refused(machine, member, live, thrown, since)
  }
}

const msSince = (machine: Machine, since: number): number =>
  Math.round((machine.options.clock.monotonic() - since) * 10) / 10

function refused(
  machine: Machine,
  { service, desired, scan }: Member,
  live: GenerationRecord,
  thrown: unknown,
  since: number,
): ReloadResult {
  const error = machine.faults.describe(thrown)
  service.refusedAttempt = { configHash: desired.hash, sourceKey: scan.key, error }
  service.refusal = error
  service.lastErrorAt = machine.options.clock.now()
  machine.refused(service, error, machine.options.clock.now())
  return { ...failedReload(error), generation: live.number, from: live.number, ms: msSince(machine, since) }
}

function accepted(
  machine: Machine,
  member: Member,
  live: GenerationRecord,
  keys: readonly string[],
  since: number,
): ReloadResult {
  const { service, desired, configText } = member
  keep(service, { ...live }, member, undefined)
  live.desired = desired
  live.configText = configText
  service.refusal = undefined
  service.refusedAttempt = undefined
  machine.events.emit('service.configured', { api: service.api, generation: live.number, keys })
  const ms = msSince(machine, since)
  machine.options.log.info(`${service.api}  g${live.number} configured: ${keys.join(', ')}  ${ms} ms`)
  return { ...unchanged(live.number), ms }
}

/** Code that runs elsewhere answers later: then there is a Promise. */
function deliver(machine: Machine, live: GenerationRecord, next: unknown): Promise<void> | undefined {
  try {
    live.instance?.configure?.(next as never)
  } catch (thrown) {
    throw tellEarlier(machine, live, thrown)
  }
  return live.evaluated?.configured?.().catch((thrown: unknown) => {
    throw tellEarlier(machine, live, thrown)
  })
}

/** The module may have taken half of it when it throws: it is told the earlier values again. */
function tellEarlier(machine: Machine, live: GenerationRecord, thrown: unknown): Error {
  const place = machine.options.loader.placeOf(thrown) ?? { file: live.scan.entry }
  try {
    live.instance?.configure?.(readConfig(machine, live, live.evaluated?.exports['configSchema']) as never)
  } catch (again) {
    machine.faults.noteError(machine.services.get(live.api), again, live)
  }
  return coded('configure_threw', { api: live.api, reason: reasonOf(thrown) }, place, thrown)
}

/** Whether two configs of one prog differ only in what `configure` takes. */
export function isVolatileOnly(live: GenerationRecord, { desired, scan }: Member): boolean {
  if (typeof live.instance?.configure !== 'function') return false
  if (live.scan.key !== scan.key || live.desired.hash === desired.hash) return false
  const { params: before, hash: _before, ...restBefore } = live.desired
  const { params: after, hash: _after, ...restAfter } = desired
  const ignore = { file: '', base: '', version: null, description: null }
  if (canonicalJson({ ...restBefore, ...ignore }) !== canonicalJson({ ...restAfter, ...ignore })) return false
  const volatile = volatileKeys(live.evaluated?.exports['configSchema'])
  return changedKeys(before, after).every((key) => volatile.has(key))
}

export function changedKeys(before: JsonMap, after: JsonMap): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const text = (map: JsonMap, key: string): string => (Object.hasOwn(map, key) ? canonicalJson(map[key]) : '')
  return [...keys].filter((key) => text(before, key) !== text(after, key)).sort()
}

interface SchemaLike {
  shape?: Record<string, SchemaLike>
  meta?: () => { volatile?: unknown } | undefined
  _zod?: { def?: { innerType?: SchemaLike } }
}

/** Top-level keys of a zod object marked volatile, also inside `.default()` and `.optional()`. */
export function volatileKeys(schema: unknown): Set<string> {
  const { shape } = (schema ?? {}) as SchemaLike
  const isVolatile = (one: SchemaLike | undefined): boolean =>
    one !== undefined && (one.meta?.()?.volatile === true || isVolatile(one._zod?.def?.innerType))
  return new Set(Object.keys(shape ?? {}).filter((key) => isVolatile(shape?.[key])))
}
