/** What may be asked for, and the files it was asked about. Used by the service `approvals`. */
import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { z } from 'zod'
import type { ApprovalRequest } from '../../contracts/approvals.ts'
import { coded } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'

const name = z.string().trim().min(1).max(200)
const requestSchema = z.strictObject({
  class: name,
  target: name,
  title: z.string().trim().min(1).max(500),
  actor: name,
  reason: z.string().max(10_000).optional(),
  impact: z.enum(['MINIMAL', 'LOW', 'MODERATE', 'HIGH', 'CRITICAL']).optional(),
  confirm_twice: z.boolean().optional(),
  diff: z.string().optional(),
  base_hash: name.optional(),
  bases: z
    .array(z.strictObject({ path: z.string().min(1).max(4_096), hash: name.nullable() }))
    .max(1_000)
    .optional(),
  cycle: name.optional(),
  evidence: z.record(z.string(), z.json()).optional(),
  cost_usd: z.number().nonnegative().optional(),
  key: name.optional(),
  expires_in_ms: z.number().int().positive().optional(),
  action: z.strictObject({ service: name, method: name, payload: z.json() }),
})

/** Throws `bad_arguments`, naming the member that is wrong. */
export function readRequest(given: ApprovalRequest, bytesMax: number): ApprovalRequest {
  const read = requestSchema.safeParse(given)
  const [issue] = read.error?.issues ?? []
  if (!read.success) throw coded('bad_arguments', { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
  const bytes = Buffer.byteLength(JSON.stringify(read.data))
  if (bytes > bytesMax) throw coded('bad_arguments', { reason: `the request has ${bytes} bytes, over ${bytesMax}` })
  return read.data as ApprovalRequest
}

/** null: nothing that could be read is there. A path that leaves the root names nothing. */
export function hashOf(root: string, path: string): string | null {
  if (normalize(path).startsWith('..')) return null
  try {
    return shortHash(readFileSync(join(root, path)))
  } catch {
    return null
  }
}
