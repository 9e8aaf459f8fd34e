/** `record:` of a config: whether calls of a service are recorded, which, and how many. Pure. */

export interface RecordOption {
  /** `sampled`: calls that are timed anyway; `all`: each is looked at, which costs it a little */
  calls: 'none' | 'sampled' | 'all'
  /** calls kept of each kind: same method, outcome and size. undefined: as the service `recordings` says */
  keep: number | undefined
  /** names of further members whose values are taken out */
  redact: readonly string[]
  /** also talk with models: of the service itself, and what it gets of them */
  talk: boolean
}

const NONE: RecordOption = { calls: 'none', keep: undefined, redact: [], talk: false }
const SAMPLED: RecordOption = { calls: 'sampled', keep: undefined, redact: [], talk: false }
const KEEP_MAX = 100_000

/** What is wrong with it, if anything. */
export function wrongRecord(value: unknown): string | undefined {
  if (typeof value === 'boolean') return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it must be true, false or a map'
  const { calls = 'sampled', keep = 1, redact = [], talk = false, ...more } = value as Record<string, unknown>
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) return `\`${unknown}\` is not one of calls, keep, redact, talk`
  if (calls !== 'sampled' && calls !== 'all') return '`calls` must be sampled or all'
  if (typeof keep !== 'number' || !Number.isInteger(keep) || keep < 1 || keep > KEEP_MAX)
    return `\`keep\` must be a whole number from 1 to ${KEEP_MAX}`
  if (typeof talk !== 'boolean') return '`talk` must be true or false'
  const areNames = Array.isArray(redact) && redact.every((one) => typeof one === 'string')
  return areNames ? undefined : '`redact` must be a list of names'
}

export function readRecord(value: unknown): RecordOption {
  if (value === undefined || value === true) return SAMPLED
  if (value === false || wrongRecord(value) !== undefined) return NONE
  const { calls = 'sampled', keep, redact = [], talk = false } = value as Partial<RecordOption>
  return { calls, keep, redact, talk }
}
