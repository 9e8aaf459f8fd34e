/**
 * What the loop does, as YAML files a person can read in `runtime/control/`: pending reviews, the last commit, the
 * self-model, what is evaluated later. Copies of what stands in the database, each written whole or not at all; nobody
 * reads them back. A disk that takes no writes stops no cycle here: the database has said so already.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Proposal } from '../../contracts/proposals.ts'
import { reasonOf } from '../../lib/errors.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { isOwn } from './history.ts'
import type { Means } from './means.ts'

export function writeReadable({ kernel }: Pick<Means, 'kernel'>, file: string, value: unknown): void {
  const path = join(kernel.paths.runtime, 'control', file)
  const text = stringify(JSON.parse(JSON.stringify(value)))
  try {
    // The watch comes every few minutes, and mostly nothing has changed.
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeWhole(path, text)
  } catch (thrown) {
    kernel.log.warn(`runtime/control/${file} is not what the loop knows: ${reasonOf(thrown)}`)
  }
}

/** Of the loop itself, newest first. */
export async function pendingReviews(means: Pick<Means, 'kernel' | 'rollouts' | 'store'>): Promise<Proposal[]> {
  const { proposals } = await means.rollouts.list({ state: 'waiting', limit: 500 })
  return proposals.filter((one) => isOwn(means, one))
}

export async function writePending(means: Means): Promise<Proposal[]> {
  const pending = await pendingReviews(means)
  const shown = pending.map(({ id, title, reason, approval_id, created_at, occurrences }) => ({
    proposal: id,
    approval: approval_id,
    change: title,
    reason,
    created_at,
    occurrences,
  }))
  writeReadable(means, 'pending-reviews.yml', { pending: shown })
  return pending
}
