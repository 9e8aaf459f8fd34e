/** A proposal as it is when it has just been judged: refused, for a person, or ready; and how the ledger is told. Pure. */
import type { PlannedChange } from '../../contracts/kernel.ts'
import type { PolicyVerdict } from '../../contracts/policy.ts'
import type { Proposal, ProposalInput } from '../../contracts/proposals.ts'
import { describeError } from '../../lib/errors.ts'
import { lineDiff } from '../../lib/line-diff.ts'
import type { FileBytes } from './batch.ts'
import { DIFF_CHARS_MAX } from './config.ts'

/** NaN for what is no name of a proposal. */
export const numberOf = (id: string): number => Number(/^c([1-9]\d{0,14})$/.exec(id)?.[1])

interface Judged {
  verdict: PolicyVerdict
  planned: readonly PlannedChange[]
  files: readonly FileBytes[]
  now: number
}

export function proposalOf(id: string, input: ProposalInput, { verdict, planned, files, now }: Judged): Proposal {
  const wrong = planned.find(({ error }) => error !== null)
  const failed = input.evidence?.find(({ outcome }) => outcome === 'failed')
  const refusal =
    verdict.tier === 'NEVER'
      ? `${verdict.message} (${verdict.rule})`
      : failed !== undefined
        ? `its check ${failed.check} failed: ${failed.message}`
        : wrong?.error
          ? `${wrong.api}: ${describeError(wrong.error)}`
          : undefined
  const isAsked = verdict.tier === 'HUMAN_REVIEW' && input.origin !== 'human'
  const message = refusal ?? (isAsked ? `a person decides: ${verdict.message} (${verdict.rule})` : 'it takes its turn')
  return {
    ...input,
    id,
    state: refusal !== undefined ? 'refused' : isAsked ? 'waiting' : 'queued',
    created_at: now,
    changed_at: now,
    occurrences: 1,
    verdict,
    approval_id: null,
    approved_by: null,
    generations: {},
    before: null,
    verifications: [],
    touches: planned.filter(({ change }) => change !== 'none').map(({ api }) => api),
    diff: diffOf(input, files),
    live_at: null,
    message,
    ledger: [],
  }
}

export const madeStep = ({
  state,
  actor,
  origin,
  reason,
  intent,
  message,
  edits,
  verdict,
  lineage,
  cost_usd,
}: Proposal) => ({
  action: 'change_proposed',
  outcome: state === 'refused' ? 'refused' : state === 'waiting' ? 'pending' : 'ok',
  actor,
  origin,
  reason: state === 'refused' ? message : (reason ?? intent),
  payload: {
    files: edits.map(({ path }) => path),
    tier: verdict?.tier ?? null,
    rule: verdict?.rule ?? null,
    ...(cost_usd === undefined ? {} : { cost_usd }),
    ...(lineage === undefined ? {} : { lineage: { ...lineage } }),
  },
})

function diffOf({ edits }: ProposalInput, files: readonly FileBytes[]): string {
  const parts = edits.map(({ path, text }, index) => {
    const before = files[index]?.bytes ?? null
    const { patch } = lineDiff(before?.toString('utf8') ?? '', text ?? '')
    return `--- ${before === null ? '/dev/null' : `a/${path}`}\n+++ ${text === null ? '/dev/null' : `b/${path}`}\n${patch}`
  })
  const diff = parts.join('\n')
  return diff.length <= DIFF_CHARS_MAX ? diff : `${diff.slice(0, DIFF_CHARS_MAX)}\n… cut`
}
