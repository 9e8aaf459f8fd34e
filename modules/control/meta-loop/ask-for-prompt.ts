/**
 * Proposes what a rule would tell models, as a change of their prompts as they are now. A prompt is a person's at every
 * level of autonomy: what is proposed here waits. While it waits, the same finding is counted on it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Principle } from '../../contracts/meta-loop.ts'
import type { ProposedEdit } from '../../contracts/proposals.ts'
import { shortHash } from '../../lib/hash.ts'
import { ALL, promptsOf, withPrinciple } from './principles.ts'
import { proposeFor, type Strategy } from './speak.ts'

/** A proposal of its own beside that of a value for the same finding. */
const nameOf = (fingerprint: string): string => `prompt ${fingerprint}`

export const PROMPTS: Strategy<'principle'> = {
  altitude: 'prompt',
  wish: 'principle',
  failed: 'no prompt is changed',
  async propose(means, finding, cycle) {
    const { kernel, system } = means
    const { rule, principle } = finding
    const prompts = promptsOf(await system.configs(), principle.scope)
    const [service] = prompts.flatMap(({ services }) => services)
    if (service === undefined) return [`there is no prompt of ${principle.scope} for ${rule}`]
    const edits = prompts.flatMap(({ path }) => editOf(kernel.paths.root, path, rule, principle))
    // All of them say it already.
    if (edits.length === 0) return []
    await proposeFor(means, finding, nameOf(finding.fingerprint), cycle, {
      service: principle.scope === ALL ? service : principle.scope,
      title: `${edits.map(({ path }) => path).join(', ')}: a principle for ${rule}`,
      intent: `${principle.mode} for ${principle.scope}: ${principle.text}`,
      edits,
    })
    return []
  },
}

function editOf(root: string, path: string, rule: string, principle: Principle): ProposedEdit[] {
  const before = readFileSync(join(root, path), 'utf8')
  const text = withPrinciple(before, rule, principle)
  return text === before ? [] : [{ path, base_hash: shortHash(before), text }]
}
