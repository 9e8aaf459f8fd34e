/**
 * Step 6, the only one that changes anything: each change goes to `rollouts` as a proposal of its own, first those the
 * policy lets through, then those for a person. Each is noted before the next, so that a process that ends here has
 * done some whole, and none in part. Then the last commit (channel G), the self-model, and what is evaluated later (F).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Proposal, ProposalInput } from '../../../contracts/proposals.ts'
import { codeOf, reasonOf } from '../../../lib/errors.ts'
import { editYaml } from '../../../lib/edit-yaml.ts'
import { shortHash } from '../../../lib/hash.ts'
import { askForCode } from '../ask-for-code.ts'
import { PROMPTS } from '../ask-for-prompt.ts'
import { STRUCTURES } from '../ask-for-structure.ts'
import { evaluateLater } from '../evaluations.ts'
import { isOpen, keyOf, stateOf } from '../history.ts'
import { LAST_COMMIT } from '../kept.ts'
import { liveConfigs, type LiveConfigs } from '../live.ts'
import type { Means } from '../means.ts'
import { writeReadable } from '../readable.ts'
import { speak } from '../speak.ts'
import { reviewOf, type CycleIdentity, type StagedChange, type Staged, type StepWork } from '../staged.ts'

/** With these nobody's change is taken now: the others would fare no better. */
const CLOSED = new Set(['frozen', 'changes_paused', 'proposals_full'])

export const persist: StepWork = async (means, staged, cycle, signal) => {
  const notes = [...staged.notes]
  const proposed = isReady(staged) && (await proposeAll(means, staged, cycle, signal, notes))
  await countAgain(means, staged, cycle, signal)
  signal.throwIfAborted()
  notes.push(...(await speak(means, PROMPTS, staged, cycle, signal)))
  signal.throwIfAborted()
  notes.push(...(await speak(means, STRUCTURES, staged, cycle, signal)))
  signal.throwIfAborted()
  notes.push(...(await askForCode(means, staged, cycle)))
  signal.throwIfAborted()
  if (staged.identity === 'approved' || proposed) await commit(means, staged, cycle)
  writeReadable(means, 'self-model.yml', { ...staged.self_model })
  return { outcome: 'done', staged: { notes } }
}

/** What the identity check refused is a person's (channel B); what may never be is nobody's. */
const isReady = ({ identity, forced }: Readonly<Staged>): boolean => identity === 'approved' || forced

/** Resolves with whether anything was proposed. */
async function proposeAll(
  means: Means,
  staged: Readonly<Staged>,
  cycle: CycleIdentity,
  signal: AbortSignal,
  notes: string[],
): Promise<boolean> {
  let proposed = false
  const live = liveConfigs(await means.system.configs())
  const tiers = ['AUTO_APPROVE', 'HUMAN_REVIEW']
  const ordered = tiers.flatMap((tier) => staged.changes.filter((change) => change.tier === tier))
  for (const change of ordered) {
    signal.throwIfAborted()
    try {
      await propose(means, { change, staged, cycle, live })
      proposed = true
    } catch (thrown) {
      notes.push(`${change.file} ${change.key}: ${reasonOf(thrown)}`)
      if (CLOSED.has(codeOf(thrown) ?? '')) return proposed
    }
  }
  return proposed
}

interface Wanted {
  change: StagedChange
  staged: Readonly<Staged>
  cycle: CycleIdentity
  live: LiveConfigs
}

async function propose(means: Means, { change, staged, cycle, live }: Wanted): Promise<Proposal> {
  const { file, key, old, new: next, reason, fingerprint, expected } = change
  const text = readFileSync(join(means.kernel.paths.root, file), 'utf8')
  const review = reviewOf(staged)
  const shown = `${key} ${JSON.stringify(old)} → ${JSON.stringify(next)}`
  const input: ProposalInput = {
    origin: 'self',
    actor: means.kernel.api,
    service: live.serviceOf(file) ?? means.kernel.api,
    title: `${file}: ${shown}`,
    intent: `for ${change.for}: ${shown}`,
    reason,
    edits: [
      { path: file, base_hash: shortHash(text), text: editYaml(file, text, { set: { [key]: next }, remove: [] }) },
    ],
    ...(expected === undefined ? {} : { expected }),
    confidence: staged.critic?.confidence ?? 0,
    ...(review === undefined ? {} : { review }),
    key: await keyOf(means, fingerprint, cycle.number),
  }
  const proposal = await means.rollouts.submit(input)
  const at = means.kernel.clock.now()
  const known = { fingerprint, proposal: proposal.id, key: String(input.key), rule: change.for }
  const isNew = means.store.lastProposed(fingerprint)?.proposal !== proposal.id
  means.store.propose({ ...known, cycle: cycle.number, at }, isNew)
  return proposal
}

/** What holds still is counted on the proposal it led to. */
async function countAgain(
  means: Means,
  { repeated }: Readonly<Staged>,
  cycle: CycleIdentity,
  signal: AbortSignal,
): Promise<void> {
  for (const { fingerprint } of repeated) {
    signal.throwIfAborted()
    const last = means.store.lastProposed(fingerprint)
    const known = last && (await stateOf(means, last.proposal))
    if (last === undefined || known === undefined || !isOpen(known)) continue
    const { origin, actor, service, title, intent, edits } = known
    await means.rollouts.submit({ origin, actor, service, title, intent, edits, key: last.key })
    means.store.propose({ ...last, cycle: cycle.number }, false)
  }
}

async function commit(means: Means, staged: Readonly<Staged>, cycle: CycleIdentity): Promise<void> {
  const { applied, pending } = await proposalsOf(means, cycle.number)
  const last = {
    cycle: cycle.number,
    changes_applied: idsOf(applied),
    changes_pending_review: idsOf(pending),
    identity_verdict: staged.identity,
    timestamp: means.kernel.clock.now(),
  }
  means.store.set(LAST_COMMIT, last)
  writeReadable(means, 'last-commit.yml', last)
  await evaluateLater(means)
}

export const idsOf = (proposals: readonly Proposal[]): string[] => proposals.map(({ id }) => id)

/** What a cycle has proposed; of that, what it made live itself, and what waits for a person. */
export async function proposalsOf(
  { store, rollouts }: Means,
  cycle: number,
): Promise<Record<'all' | 'applied' | 'pending', Proposal[]>> {
  const made = store.proposalsOf(cycle)
  const found = await Promise.all(made.map(({ proposal }) => rollouts.show(proposal).catch(() => undefined)))
  const all = found.filter((one) => one !== undefined)
  const isNew = new Set(made.filter(({ is_new }) => is_new).map(({ proposal }) => proposal))
  return {
    all,
    applied: all.filter(({ id, live_at }) => live_at !== null && isNew.has(id)),
    pending: all.filter(({ state }) => state === 'waiting'),
  }
}
