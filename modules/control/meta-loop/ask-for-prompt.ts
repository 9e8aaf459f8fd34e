/**
 * Proposes what a rule would tell models, as a change of their prompts as they are now. A prompt is a person's at every
 * level of autonomy: what is proposed here waits. While it waits, the same finding is counted on it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding, Principle } from '../../contracts/meta-loop.ts'
import type { ProposedEdit } from '../../contracts/proposals.ts'
import { reasonOf } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { keyOf } from './history.ts'
import type { Means } from './means.ts'
import { ALL, promptsOf, withPrinciple } from './principles.ts'
import type { CycleIdentity, Staged } from './staged.ts'

/** A proposal of its own beside that of a value for the same finding. */
const nameOf = (fingerprint: string): string => `prompt ${fingerprint}`

type Speaking = Finding & { principle: Principle }

/** Resolves with what a person should know of it. */
export async function proposePrompts(
  means: Means,
  staged: Readonly<Staged>,
  cycle: CycleIdentity,
  signal: AbortSignal,
): Promise<string[]> {
  if (!means.config.altitudes.includes('prompt')) return []
  const { critic, identity } = staged
  if (critic === null || critic.action === 'ALERT') return []
  if (identity !== 'approved' && identity !== 'no_changes') return []
  const findings = [...critic.findings, ...staged.repeated]
  const speaking = findings.filter((one): one is Speaking => one.principle !== undefined && reaches(one))
  if (speaking.length === 0 || (await means.system.status()).frozen !== 'none') return []
  const notes: string[] = []
  for (const finding of speaking) {
    signal.throwIfAborted()
    try {
      notes.push(...(await propose(means, finding, cycle)))
    } catch (thrown) {
      notes.push(`no prompt is changed for ${finding.rule}: ${reasonOf(thrown)}`)
    }
  }
  return notes
}

const reaches = ({ altitudes }: Finding): boolean => altitudes.includes('prompt')

async function propose(means: Means, finding: Speaking, cycle: CycleIdentity): Promise<string[]> {
  const { kernel, system, store, rollouts } = means
  const { rule, principle, description } = finding
  const prompts = promptsOf(await system.configs(), principle.scope)
  const [service] = prompts.flatMap(({ services }) => services)
  if (service === undefined) return [`there is no prompt of ${principle.scope} for ${rule}`]
  const edits = prompts.flatMap(({ path }) => editOf(kernel.paths.root, path, rule, principle))
  // All of them say it already.
  if (edits.length === 0) return []
  const fingerprint = nameOf(finding.fingerprint)
  const key = await keyOf(means, fingerprint, cycle.number)
  const { id } = await rollouts.submit({
    origin: 'self',
    actor: kernel.api,
    service: principle.scope === ALL ? service : principle.scope,
    title: `${edits.map(({ path }) => path).join(', ')}: a principle for ${rule}`,
    intent: `${principle.mode} for ${principle.scope}: ${principle.text}`,
    reason: description,
    edits,
    confidence: finding.confidence,
    key,
  })
  const isNew = store.lastProposed(fingerprint)?.proposal !== id
  store.propose({ fingerprint, proposal: id, key, cycle: cycle.number, rule, at: kernel.clock.now() }, isNew)
  return []
}

function editOf(root: string, path: string, rule: string, principle: Principle): ProposedEdit[] {
  const before = readFileSync(join(root, path), 'utf8')
  const text = withPrinciple(before, rule, principle)
  return text === before ? [] : [{ path, base_hash: shortHash(before), text }]
}
