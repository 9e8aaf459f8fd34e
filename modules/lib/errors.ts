/**
 * Builds and reads coded errors. An error carries its code, a message filled from the table, a hint, and the place
 * in a file when there is one. Everything that can fail for a user throws one of these; `toErrorData` turns any
 * thrown value into the same shape, so that no caller needs `instanceof`.
 */
import { ERRORS, type ErrorCode, type ErrorData } from '../contracts/errors.ts'

export interface ErrorPlace {
  file?: string
  line?: number
  column?: number
}

export class CodedError extends Error {
  readonly code: string
  readonly hint: string
  file?: string
  line?: number
  column?: number
  details?: Record<string, unknown>

  constructor(code: string, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CodedError'
    this.code = code
    this.hint = hint
  }
}

const fill = (template: string, details: Record<string, unknown>): string =>
  template.replace(/\{(\w+)\}/g, (whole, key: string) => (key in details ? String(details[key]) : whole))

/** A coded error from the table. `details` fill the templates and stay readable as data. */
export function coded(
  code: ErrorCode,
  details: Record<string, unknown> = {},
  place: ErrorPlace = {},
  cause?: unknown,
): CodedError {
  const { message, hint } = ERRORS[code]
  const filled = { near: '', ...details }
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new CodedError(code, fill(message, filled), fill(hint, filled), { cause })
  Error.stackTraceLimit = stackTraceLimit
  // The stack begins where the error was noticed, not in this helper, and is taken once.
  Error.captureStackTrace(error, coded)
  if (place.file !== undefined) error.file = place.file
  if (place.line !== undefined) error.line = place.line
  if (place.column !== undefined) error.column = place.column
  if (Object.keys(details).length > 0) error.details = details
  return error
}

/** The same as data, for what is found by the hundred and never thrown: no stack is taken. */
export function codedData(code: ErrorCode, details: Record<string, unknown>, place: ErrorPlace): ErrorData {
  const { message, hint } = ERRORS[code]
  const filled = { near: '', ...details }
  return { code, message: fill(message, filled), hint: fill(hint, filled), ...place }
}

/** The message of anything thrown, never throwing itself. */
export function reasonOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error || (typeof thrown === 'object' && thrown !== null && 'message' in thrown)) {
      return String(thrown.message)
    }
    return String(thrown)
  } catch {
    return 'an error that cannot be printed'
  }
}

/** The code of anything thrown, or undefined. Reads a plain string property only. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  const { code } = thrown as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** Any thrown value as plain data. A value without a code of ours becomes `callee_error` with its own code beside it. */
export function toErrorData(thrown: unknown): ErrorData {
  const code = codeOf(thrown)
  const from = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Partial<CodedError>
  const data: ErrorData = {
    code: code ?? 'callee_error',
    message: reasonOf(thrown),
    hint: typeof from.hint === 'string' ? from.hint : ERRORS.callee_error.hint,
  }
  if (typeof from.file === 'string') data.file = from.file
  if (typeof from.line === 'number') data.line = from.line
  if (typeof from.column === 'number') data.column = from.column
  return data
}

/** The way back: a throwable error from its data. */
export function fromErrorData(data: ErrorData): CodedError {
  const error = new CodedError(data.code, data.message, data.hint)
  if (data.file !== undefined) error.file = data.file
  if (data.line !== undefined) error.line = data.line
  if (data.column !== undefined) error.column = data.column
  return error
}

/** `message (file:line:column)`, for a log line or a terminal. */
export function describeError(data: ErrorData): string {
  if (data.file === undefined) return data.message
  const place = [data.file, data.line, data.column].filter((part) => part !== undefined).join(':')
  return `${data.message} (${place})`
}

/** The HTTP status a code stands for; codes of other origin are the callee's own errors: 500. */
export const statusOf = (code: string): number => (Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].status : 500)
