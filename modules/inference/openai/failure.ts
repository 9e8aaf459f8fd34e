/**
 * What went wrong with a try, and whether another may help. Pure. Nothing of the client's error is passed on but its
 * words: the object holds headers and bodies.
 */
import type { APIError } from 'openai'
import { codeOf, reasonOf } from '../../lib/errors.ts'

export interface Failure {
  reason: string
  /** another try may help */
  passing: boolean
  /** the server asks for so much patience */
  wait_ms?: number
}

const REASON_CHARS_MAX = 500
const PASSING = new Set([408, 409, 425, 429])

export function failureOf(thrown: unknown, now: number): Failure {
  if (!isAnswer(thrown)) return { reason: deepest(thrown), passing: true }
  const status = statusOf(thrown)
  const told = thrown.headers?.get('x-should-retry')
  const passing =
    told === 'true' ||
    (told !== 'false' &&
      thrown.code !== 'insufficient_quota' &&
      (status === undefined || PASSING.has(status) || status >= 500))
  const wait = waitOf(thrown.headers, now)
  return { reason: short(thrown.message), passing, ...(wait === undefined ? {} : { wait_ms: wait }) }
}

/** The client's error for what a server said, told by its shape; one without headers says that none was reached. */
export const isAnswer = (thrown: unknown): thrown is APIError =>
  thrown instanceof Error && 'headers' in thrown && thrown.headers instanceof Headers

/** An error in the midst of a stream has its status in the body, if anywhere. */
function statusOf({ status, code }: APIError): number | undefined {
  if (status !== undefined) return Number(status)
  const number = Number(code)
  return Number.isInteger(number) && number >= 400 && number < 600 ? number : undefined
}

/** `Connection error.` says nothing: the reason is the cause's cause. */
function deepest(thrown: unknown): string {
  let at = thrown
  for (let depth = 0; depth < 5 && at instanceof Error && at.cause instanceof Error; depth++) at = at.cause
  return short(reasonOf(at) || String(codeOf(at) ?? 'an error without words'))
}

function waitOf(headers: Headers | undefined, now: number): number | undefined {
  const ms = Number.parseFloat(headers?.get('retry-after-ms') ?? '')
  if (Number.isFinite(ms)) return Math.max(0, ms)
  const after = headers?.get('retry-after')
  if (after === undefined || after === null) return undefined
  const seconds = Number(after)
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(after) - now
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}

const short = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > REASON_CHARS_MAX ? `${line.slice(0, REASON_CHARS_MAX)}…` : line
}
