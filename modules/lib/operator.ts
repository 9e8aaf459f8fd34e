/**
 * Who may decide: whoever knows the operator's token, which stands in `runtime/token` and which no tool can read. Used
 * by the services that let people decide and modules only ask.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coded } from './errors.ts'

/** Throws `operator_only`; `what` ends the sentence “Only an operator may …”. */
export function checkOperator(runtime: string, token: unknown, what: string): void {
  let known: string
  try {
    known = readFileSync(join(runtime, 'token'), 'utf8').trim()
  } catch (error) {
    throw coded('operator_only', { what }, {}, error)
  }
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  if (typeof token !== 'string' || known === '' || !timingSafeEqual(digest(token), digest(known)))
    throw coded('operator_only', { what })
}
