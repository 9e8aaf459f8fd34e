/**
 * What strategies that change texts have in common: which findings they act on, and when; and how a finding becomes a
 * proposal that is counted while it is open, and not made again for as long as a no to it stands. What they propose is a
 * person's at every level of autonomy.
 */
import type { Finding } from '../../contracts/meta-loop.ts'
import type { ProposalInput } from '../../contracts/proposals.ts'
import { reasonOf } from '../../lib/errors.ts'
import type { Config } from './config.ts'
import { keyOf } from './history.ts'
import type { Means } from './means.ts'
import type { CycleIdentity, Staged } from './staged.ts'

/** What of a finding says what is wanted. */
type Wish = 'principle' | 'structure'
export type Wishing<K extends Wish> = Finding & Required<Pick<Finding, K>>

export interface Strategy<K extends Wish> {
  altitude: Config['altitudes'][number]
  wish: K
  /** how a person is told that nothing came of one */
  failed: string
  /** Resolves with what a person should know. May reject: the other findings are acted on all the same. */
  propose(means: Means, finding: Wishing<K>, cycle: CycleIdentity, staged: Readonly<Staged>): Promise<string[]>
}

/** Resolves with what a person should know. */
export async function speak<K extends Wish>(
  means: Means,
  { altitude, wish, failed, propose }: Strategy<K>,
  staged: Readonly<Staged>,
  cycle: CycleIdentity,
  signal: AbortSignal,
): Promise<string[]> {
  if (!means.config.altitudes.includes(altitude)) return []
  const { critic, identity } = staged
  if (critic === null || critic.action === 'ALERT') return []
  if (identity !== 'approved' && identity !== 'no_changes') return []
  const wishing = [...critic.findings, ...staged.repeated].filter(
    (one): one is Wishing<K> => one[wish] !== undefined && one.altitudes.includes(altitude),
  )
  if (wishing.length === 0 || (await means.system.status()).frozen !== 'none') return []
  const notes: string[] = []
  for (const finding of wishing) {
    signal.throwIfAborted()
    try {
      notes.push(...(await propose(means, finding, cycle, staged)))
    } catch (thrown) {
      notes.push(`${failed} for ${finding.rule}: ${reasonOf(thrown)}`)
    }
  }
  return notes
}

/** `fingerprint`: of this change for this finding, beside those of other strategies for it. */
export async function proposeFor(
  means: Means,
  { rule, description, confidence }: Finding,
  fingerprint: string,
  cycle: CycleIdentity,
  change: Pick<ProposalInput, 'service' | 'title' | 'intent' | 'edits' | 'expected'>,
): Promise<void> {
  const { kernel, rollouts, store } = means
  const key = await keyOf(means, fingerprint, cycle.number)
  const asked = { origin: 'self' as const, actor: kernel.api, reason: description, confidence, key }
  const { id } = await rollouts.submit({ ...change, ...asked })
  const isNew = store.lastProposed(fingerprint)?.proposal !== id
  store.propose({ fingerprint, proposal: id, key, cycle: cycle.number, rule, at: kernel.clock.now() }, isNew)
}
