/**
 * What a last good version is, and when it has to stand in. Pure. A version is good when it has been live for
 * `fresh_ms` without a failure that would have taken it back, or serves well at an orderly stop. It stands in where
 * nothing serves and what is on disk does not start, once for each state of the disk. `last-good-versions.ts` acts.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { LastGoodUse, VersionSource } from '../contracts/changes.ts'
import type { DesiredService, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { describeError } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import type { DesiredState } from './configs.ts'

export interface Hashes {
  configHash: string
  sourceKey: string
}

export const hashesOf = ({ desired, scan }: Pick<VersionSource, 'desired' | 'scan'>): Hashes => ({
  configHash: desired.hash,
  sourceKey: scan.key,
})

export const isSame = (a: Hashes | undefined, b: Hashes | undefined): boolean =>
  a !== undefined && b !== undefined && a.configHash === b.configHash && a.sourceKey === b.sourceKey

interface Marked {
  desired: Pick<DesiredService, 'file' | 'hash'>
  scan: Pick<VersionSource['scan'], 'key'>
  configText: string | undefined
}

/** Equal marks: there is nothing to keep anew. The text counts too, since an undo writes it back. */
export const markOf = (version: Marked): string =>
  `${version.desired.file} ${version.desired.hash} ${version.scan.key} ${shortHash(version.configText ?? '')}`

/** The version that serves, when nothing speaks against it. `now` in monotonic ms. */
export function servesWell(service: ServiceRecord, now: number, freshMs: number): GenerationRecord | undefined {
  const { live, state, supervision } = service
  if (live === undefined || state !== 'live' || supervision.timer !== undefined) return undefined
  return supervision.restarts.some((at) => at > now - freshMs) ? undefined : live
}

export interface Trouble {
  /** names this state of the disk */
  key: string
  error: ErrorData
}

export const troubleKey = ({ configHash, sourceKey }: Hashes): string => `${configHash} ${sourceKey}`

/** Why nothing serves although something is asked for; undefined while that may still come by itself. */
export function troubleOf(service: ServiceRecord, desired: DesiredState): Trouble | undefined {
  const { api, live, busy, state, refusedAttempt, refusal, scan } = service
  if (live !== undefined || busy || state === 'tripped' || state === 'draining' || state === 'stopped') return undefined
  const base = service.desired?.base
  const broken = desired.contested.get(api) ?? (base === undefined ? undefined : desired.broken.get(base))
  if (broken !== undefined) return { key: describeError(broken), error: broken }
  const target = desired.services.get(api)
  if (target === undefined || scan === undefined || refusal === undefined) return undefined
  const onDisk = { configHash: target.hash, sourceKey: scan.key }
  const waits = state === 'waiting' && service.lastGood?.stage !== 'waiting'
  return isSame(refusedAttempt, onDisk) && !waits ? { key: troubleKey(onDisk), error: refusal } : undefined
}

/** `load`: look what is kept, for this state of the disk. */
export type LastGoodStep = 'load' | 'start' | 'none'

export function nextStep(
  use: LastGoodUse | undefined,
  trouble: Pick<Trouble, 'key'>,
  isLive: (api: string) => boolean,
): LastGoodStep {
  if (use === undefined || use.key !== trouble.key) return 'load'
  switch (use.stage) {
    case 'due':
      return 'start'
    case 'waiting':
      return use.needs.every(isLive) ? 'start' : 'none'
    case 'none':
    case 'starting':
    case 'serving':
    case 'failed':
      return 'none'
    default: {
      const never: never = use.stage
      return never
    }
  }
}
