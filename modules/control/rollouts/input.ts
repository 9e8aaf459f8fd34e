/** What somebody proposes, read and checked; and its content as one hash, which is what a person approves. Pure. */
import { z } from 'zod'
import { EFFECT_METRICS, type ProposalInput } from '../../contracts/proposals.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { EDITS_MAX, type Config } from './config.ts'

const name = z.string().trim().min(1).max(200)
const text = z.string().max(10_000)
const path = z.string().min(1).max(500)

export const editSchema = z.strictObject({
  path,
  base_hash: z.string().max(64).nullable(),
  text: z.string().nullable(),
})

export const proposalSchema = z.strictObject({
  origin: z.enum(['human', 'self', 'test']),
  actor: name,
  service: name,
  title: z.string().trim().min(1).max(500),
  intent: text,
  reason: text.optional(),
  edits: z.array(editSchema).min(1).max(EDITS_MAX),
  changes: z
    .array(
      z.strictObject({
        method: name,
        when: z
          .array(z.strictObject({ at: name, is: name, value: z.json().optional() }))
          .min(1)
          .max(10),
        reason: text,
      }),
    )
    .max(10)
    .optional(),
  expected: z
    .strictObject({
      metric: z.enum(EFFECT_METRICS),
      direction: z.enum(['lower', 'higher']),
      min_effect: z.number().min(0).max(10).optional(),
    })
    .optional(),
  confidence: z.number().min(0).max(1).optional(),
  review: name.optional(),
  cost_usd: z.number().nonnegative().optional(),
  evidence: z
    .array(
      z.strictObject({
        check: name,
        outcome: z.enum(['passed', 'failed', 'skipped']),
        message: text,
        ms: z.number().nonnegative(),
        details: z.json().optional(),
      }),
    )
    .max(100)
    .optional(),
  lineage: z
    .strictObject({
      provider: name,
      model: name,
      prompt_hash: name,
      response_hash: name,
      parent: name.nullable(),
    })
    .optional(),
  verify: z
    .strictObject({
      window_ms: z.number().int().positive().max(86_400_000).optional(),
      samples_min: z.number().int().min(0).max(1_000_000).optional(),
    })
    .optional(),
  builds_on: z.array(name).min(1).max(20).optional(),
  key: name.optional(),
})

/** Throws `bad_arguments`. */
export function readInput(given: unknown, { bytes_max }: Pick<Config, 'bytes_max'>): ProposalInput {
  const read = proposalSchema.safeParse(given)
  if (!read.success) {
    const [issue] = read.error.issues
    throw coded('bad_arguments', { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
  }
  const { edits, evidence = [] } = read.data
  const paths = new Set(edits.map((edit) => edit.path))
  if (paths.size < edits.length) throw coded('bad_arguments', { reason: 'edits: a path stands there twice' })
  const bytes = Buffer.byteLength(JSON.stringify([edits, evidence]))
  if (bytes > bytes_max)
    throw coded('bad_arguments', { reason: `edits: ${bytes} bytes with the evidence, over ${bytes_max}` })
  return read.data as ProposalInput
}

export const contentOf = ({ service, edits }: Pick<ProposalInput, 'service' | 'edits'>): string =>
  shortHash(canonicalJson({ service, edits: [...edits].sort((a, b) => (a.path < b.path ? -1 : 1)) }))
