/**
 * A standstill of the process, as `runtime/stall.json` tells it: written by the watchdog's thread in its last moment,
 * read by the parent for its one line, by the next kernel to keep the culprit off, and by `mm doctor`.
 */
export const STALL_FILE = 'runtime/stall.json'
/** The last one that a kernel has taken in. */
export const STALL_TOLD_FILE = 'runtime/stall-last.json'

export interface Stall {
  /** epoch milliseconds */
  time: number
  pid: number
  /** null when nobody could be named */
  service: string | null
  generation: number | null
  source_key: string | null
  config_hash: string | null
  /** path from the root, or absolute */
  file: string | null
  line: number | null
  column: number | null
  /** name of the function */
  frame: string | null
  /** not seen at work, only the last that was entered: told, and not held against it */
  guess: boolean
  stalled_ms: number
}

const isText = (value: unknown): boolean => value === null || typeof value === 'string'
const isNumber = (value: unknown): boolean => value === null || typeof value === 'number'

/** undefined for anything that is not a whole record: the file is written by a process about to end. */
export function parseStall(text: string): Stall | undefined {
  let value: Partial<Stall> | null
  try {
    value = JSON.parse(text) as Partial<Stall> | null
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { service, generation, source_key, config_hash, file, line, column, frame } = value
  const whole =
    [value.time, value.pid, value.stalled_ms].every((one) => typeof one === 'number') &&
    typeof value.guess === 'boolean' &&
    [service, source_key, config_hash, file, frame].every(isText) &&
    [generation, line, column].every(isNumber)
  return whole ? (value as Stall) : undefined
}

/** Whether a version can be held against its service: it was seen at work, and is known by its hashes. */
export const isCertain = (stall: Stall): boolean =>
  !stall.guess && stall.service !== null && stall.source_key !== null && stall.config_hash !== null

/** `services/x stalled the process for 2.1 s at modules/x.ts:12:3` */
export function describeStall({ service, file, line, column, guess, stalled_ms }: Stall): string {
  const seconds = `${(stalled_ms / 1_000).toFixed(1)} s`
  const place = file === null ? '' : ` at ${[file, line, column].filter((part) => part !== null).join(':')}`
  if (service === null) return `the process stood still for ${seconds}${place}`
  if (!guess) return `${service} stalled the process for ${seconds}${place}`
  return service === 'kernel'
    ? `the process stood still for ${seconds}, in the kernel${place}`
    : `the process stood still for ${seconds} outside any service's code; the last one entered was ${service}`
}
