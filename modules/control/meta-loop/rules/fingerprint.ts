/**
 * What makes two findings the same: who saw it, of which metrics, and what it would change; not the numbers, the moment
 * or the words. So a finding that is seen again is counted on the proposal it led to. Used wherever a finding is made.
 */
import { canonicalJson } from '../../../lib/canonical-json.ts'
import { shortHash } from '../../../lib/hash.ts'

export interface Identity {
  /** rule, or pattern */
  rule: string
  /** in any order */
  metrics: readonly string[]
  /** what it would change */
  target?: { file: string; key: string } | undefined
}

export function fingerprintOf({ rule, metrics, target }: Identity): string {
  const where = target === undefined ? null : { file: target.file, key: target.key }
  return shortHash(canonicalJson({ rule, metrics: [...new Set(metrics)].sort(), target: where }))
}
