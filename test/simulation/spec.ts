/**
 * What a simulated module does, and the text that says it: one `key value` a line, so that a file cut off at any byte
 * is either another module or a mistake, as with real sources. `write` and `read` are each other's inverse.
 */

/** Where a version fails, each time. */
export const BREAKS = [
  'evaluate',
  'constructor',
  'init',
  'init_hangs',
  'self_test',
  'hand_over',
  'take_over',
  'configure',
  'run',
  'shutdown',
  'shutdown_hangs',
] as const
export type Break = (typeof BREAKS)[number]

export interface Spec {
  /** different in each text */
  module: number
  /** files it imports, from modules/ */
  use: string[]
  needs: string[]
  breaks: Break | undefined
  evaluate_ms: number | undefined
  init_ms: number | undefined
  /** a service that init() calls */
  asks: string | undefined
  self_test_ms: number | undefined
  /** it hands its counters over */
  state: boolean
  mode: 'overlap' | 'quiesce' | 'exclusive' | undefined
  /** run() does a step each so many milliseconds */
  run_ms: number | undefined
  /** run() goes on for so long after it was asked to end */
  deaf_ms: number | undefined
  /** timed work beside run() */
  every_ms: number | undefined
  /** what it holds */
  holds: string | undefined
  shutdown_ms: number | undefined
  /** the key `level` is volatile, and `size` has to be a number */
  schema: boolean
  /** a method only some versions have */
  extra: boolean
}

export const EMPTY: Omit<Spec, 'module'> = {
  use: [],
  needs: [],
  breaks: undefined,
  evaluate_ms: undefined,
  init_ms: undefined,
  asks: undefined,
  self_test_ms: undefined,
  state: false,
  mode: undefined,
  run_ms: undefined,
  deaf_ms: undefined,
  every_ms: undefined,
  holds: undefined,
  shutdown_ms: undefined,
  schema: false,
  extra: false,
}

const FLAGS = ['state', 'schema', 'extra'] as const
const LISTS = ['use', 'needs'] as const
const NUMBERS = ['evaluate_ms', 'init_ms', 'self_test_ms', 'run_ms', 'deaf_ms', 'every_ms', 'shutdown_ms'] as const
const MODES = ['overlap', 'quiesce', 'exclusive']

const has = (names: readonly string[], name: string): boolean => names.includes(name)

export function writeSpec(spec: Spec): string {
  const lines = [`module ${spec.module}`]
  for (const [key, value] of Object.entries(spec) as [string, unknown][]) {
    if (key === 'module' || value === undefined || value === false) continue
    if (value === true) lines.push(key)
    else if (Array.isArray(value)) lines.push(...value.map((one) => `${key} ${one}`))
    else lines.push(`${key} ${String(value)}`)
  }
  return `${lines.join('\n')}\n`
}

export type ReadSpec = { ok: true; spec: Spec | undefined } | { ok: false; line: number }

/** No spec when the text is right and has no `module` line: a file that exports nothing of use. */
export function readSpec(text: string): ReadSpec {
  const spec: Record<string, unknown> = { ...EMPTY, use: [], needs: [] }
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue
    const [, key = '', value] = /^([a-z_]+)(?: (\S+))?$/.exec(line) ?? []
    if (!takes(spec, key, value)) return { ok: false, line: index + 1 }
  }
  return { ok: true, spec: spec['module'] === undefined ? undefined : (spec as unknown as Spec) }
}

function takes(spec: Record<string, unknown>, key: string, value: string | undefined): boolean {
  if (has(FLAGS, key)) {
    spec[key] = true
    return value === undefined
  }
  if (value === undefined) return false
  if (key === 'module' || has(NUMBERS, key)) {
    spec[key] = Number(value)
    return Number.isInteger(spec[key])
  }
  if (has(LISTS, key)) {
    ;(spec[key] as string[]).push(value)
    return true
  }
  spec[key] = value
  return (
    key === 'asks' ||
    key === 'holds' ||
    (key === 'breaks' && has(BREAKS, value)) ||
    (key === 'mode' && has(MODES, value))
  )
}

/** A helper is a number, or a mistake. */
export const writeHelper = (number: number): string => `helper ${number}\n`
export const isHelper = (text: string): boolean => /^helper \d+\n$/.test(text)
