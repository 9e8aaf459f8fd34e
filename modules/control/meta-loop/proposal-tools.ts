/** Proposals as a model reads and submits them. What it submits is the system's own, and is judged as such by `rollouts`. */
import { z } from 'zod'
import { EFFECT_METRICS, PROPOSAL_STATES, type Proposal, type ProposalInput } from '../../contracts/proposals.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { tool } from '../../lib/tool.ts'
import { handlesOf } from './means.ts'

const LIMIT_MAX = 500

const proposal = z.object({
  service: z.string().min(1).describe('whose calls tell whether it is better'),
  title: z.string().min(1),
  intent: z.string().min(1),
  edits: z
    .array(
      z.object({
        path: z.string().min(1).describe('from the root'),
        base_hash: z.string().nullable().describe('hash of the file as it was read; null: it is not there'),
        text: z.string().nullable().describe('what it is to hold; null: it goes'),
      }),
    )
    .min(1),
  expected: z
    .object({
      metric: z.enum(EFFECT_METRICS),
      direction: z.enum(['lower', 'higher']),
    })
    .optional(),
  confidence: z.number().min(0).max(1).optional(),
})

export function proposalTools(kernel: KernelApi): Record<string, object> {
  return {
    get_proposals: tool({
      description: 'List changes that were proposed, and where they stand, the newest first.',
      params: z.object({
        status: z.enum(PROPOSAL_STATES).optional().describe('only those in this state'),
        offset: z.number().int().min(0).max(LIMIT_MAX).default(0),
        limit: z.number().int().min(1).max(LIMIT_MAX).default(50),
      }),
      read_only: true,
      run: async ({ status, offset, limit }) => {
        const asked = { limit: LIMIT_MAX, ...(status === undefined ? {} : { state: status }) }
        const { proposals } = await handlesOf(kernel).rollouts.list(asked)
        return { proposals: proposals.slice(offset, offset + limit).map(shortOf), offset, total: proposals.length }
      },
    }),
    submit_proposal: tool({
      description:
        'Propose a change of files. It is judged as the system’s own: it may be refused, wait for a person, or go live.',
      params: z.object({
        proposal,
        confirm: z.literal(true).describe('true: it is meant'),
        reason: z.string().trim().min(1).describe('why'),
      }),
      run: async ({ proposal: given, reason }, { caller }) => {
        const asked = { ...given, reason, actor: caller, origin: 'self' } as ProposalInput
        return shortOf(await handlesOf(kernel).rollouts.submit(asked))
      },
    }),
  }
}

const shortOf = ({ id, state, service, title, actor, origin, created_at, changed_at, ...more }: Proposal): JsonMap => ({
  id,
  state,
  service,
  title,
  actor,
  origin,
  created_at,
  changed_at,
  approval_id: more.approval_id,
  message: more.message,
})
