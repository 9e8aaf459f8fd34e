/**
 * Would it ever be allowed? Asked before any work: what the policy never lets through is refused with its rule, and so is
 * what it cannot judge. Whether a person has to decide is asked again where the change goes on its way.
 */
import type { FileChange, PolicyApi } from '../../../contracts/policy.ts'
import { reasonOf } from '../../../lib/errors.ts'
import { failed, passed, type ChangeCheck } from '../check.ts'

export const policyCheck: ChangeCheck = {
  name: 'policy',
  of: 'change',
  async run({ kernel, candidate: { edits, actor } }) {
    const changes = edits.map(({ path, text, base_hash }): FileChange => {
      const operation = text === null ? 'delete' : base_hash === null ? 'create' : 'modify'
      return { kind: 'file', path, operation, ...(text === null ? {} : { text }) }
    })
    const undo = changes.map(({ path, operation }) => ({
      operation: operation === 'create' ? ('remove_file' as const) : ('restore_file' as const),
      target: path,
    }))
    try {
      const verdict = await kernel.getApi<PolicyApi>('policy').check({ origin: 'self', actor, changes, undo })
      const { tier, rule, message } = verdict
      const details = { tier, rule }
      if (tier !== 'NEVER') return passed(`${tier} by ${rule}: ${message}`, details)
      return failed(`NEVER by the rule \`${rule}\`: ${message}. Leave this file as it is.`, details)
    } catch (thrown) {
      return failed(`the policy cannot judge it, so it is refused: ${reasonOf(thrown)}`)
    }
  },
}
