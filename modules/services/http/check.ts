/** What a request brings, against what its route takes: the first thing that does not fit is named, with what should stand there. Pure. */
import type { z } from 'zod'
import { coded, type CodedError } from '../../lib/errors.ts'
import { NOTHING } from './routes/route.ts'

/** An error of a request that knows which part of it is wrong. */
export type FieldError = CodedError & { field?: string; expected?: string }

export function checked<T extends z.ZodType>(schema: T, value: unknown, part: 'path' | 'query' | 'body'): z.output<T> {
  if ((schema as z.ZodType) === NOTHING) return {} as z.output<T>
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw fieldError(result.error.issues[0], part)
}

function fieldError(issue: z.core.$ZodIssue | undefined, part: string): FieldError {
  const [first, ...rest] = issue?.path ?? []
  const name = [String(first ?? part), ...rest.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))]
  const expected = issue === undefined ? 'another value' : expectationOf(issue)
  const shown = name.join('')
  const error: FieldError = coded('bad_request', { reason: `\`${shown}\` in the ${part} must be ${expected}` })
  return Object.assign(error, { field: first === undefined ? part : `${part}.${shown}`, expected })
}

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function expectationOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return bounded(issue.origin, issue.inclusive === true ? 'at least' : 'more than', issue.minimum)
    case 'too_big':
      return bounded(issue.origin, issue.inclusive === true ? 'at most' : 'less than', issue.maximum)
    case 'invalid_format':
      return `text of the form ${issue.pattern ?? issue.format}`
    default:
      return `something else: ${issue.message}`
  }
}

function bounded(origin: string, how: string, limit: number | bigint): string {
  if (origin === 'string')
    return how === 'at least' && limit === 1 ? 'text that is not empty' : `${how} ${limit} characters long`
  return origin === 'array' ? `a list of ${how} ${limit}` : `${how} ${limit}`
}
