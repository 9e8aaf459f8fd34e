/**
 * Reads what a model answered: whole files, each in a fence that names its path, or in a bracket call `propose_file`; and one
 * JSON block that says what the change is for. What cannot be used is told in words that go back to it. Pure.
 */
import { z } from 'zod'
import { scan } from '../../bracket/index.ts'
import {
  EFFECT_METRICS,
  type DeclaredChange,
  type DeclaredCondition,
  type ExpectedEffect,
} from '../../contracts/proposals.ts'
import { reasonOf } from '../../lib/errors.ts'

export interface AnsweredChange {
  title: string
  intent: string
  expected: ExpectedEffect | undefined
  confidence: number | undefined
  changes: DeclaredChange[]
  /** null: the file goes */
  files: { path: string; text: string | null }[]
}

export type ReadAnswer = { change: AnsweredChange } | { unusable: string }

const CONDITIONS = [
  'above',
  'below',
  'equal',
  'unequal',
  'missing',
  'longer',
  'shorter',
  'contains',
  'begins',
  'ends',
  'has',
  'lacks',
] as const satisfies DeclaredCondition['is'][]

export const changesSchema = z
  .array(
    z.strictObject({
      method: z.string().min(1).max(200),
      when: z
        .array(
          z.strictObject({
            at: z.string().min(1).max(200),
            is: z.enum(CONDITIONS),
            value: z.json().optional(),
          }),
        )
        .min(1)
        .max(10),
      reason: z.string().trim().min(1).max(1_000),
    }),
  )
  .max(10)

const aboutSchema = z.object({
  changes: changesSchema.optional(),
  title: z.string().trim().min(1).max(200).optional(),
  intent: z.string().trim().max(4_000).optional(),
  confidence: z.number().min(0).max(1).optional(),
  remove: z.array(z.string()).max(20).optional(),
  expected: z
    .object({
      metric: z.enum(EFFECT_METRICS),
      direction: z.enum(['lower', 'higher']),
      min_effect: z.number().positive().max(10).optional(),
    })
    .optional(),
})

interface Fence {
  label: string
  text: string
}

/** A fence ends at a line of as many backticks or more: a file that holds fences is written in longer ones. */
function fencesOf(answer: string): Fence[] {
  const fences: Fence[] = []
  let open: { ticks: number; label: string; lines: string[] } | undefined
  for (const line of answer.split('\n')) {
    const [, ticks = '', label = ''] = /^\s{0,3}(`{3,})\s*([^`]*)$/.exec(line) ?? []
    if (open === undefined) {
      if (ticks !== '') open = { ticks: ticks.length, label: label.trim(), lines: [] }
    } else if (ticks.length >= open.ticks && label.trim() === '') {
      fences.push({ label: open.label, text: `${open.lines.join('\n')}\n` })
      open = undefined
    } else open.lines.push(line)
  }
  return fences
}

const CODE_LABEL = /^(ts|typescript|js|javascript|mjs|tsx?)$/i

/** `entry`: the file a single fence without a path means. */
export function readAnswer(answer: string, entry: string | undefined): ReadAnswer {
  const fences = fencesOf(answer)
  const files: AnsweredChange['files'] = []
  for (const { label, text } of fences) {
    const [, path] = /^(?:file|[\w+-]+)[ :=]+(?:path=)?"?([\w@./-]+\.[\w]+)"?$/.exec(label) ?? []
    if (path !== undefined) files.push({ path, text })
  }
  files.push(...bracketFiles(answer))
  const codes = fences.filter(({ label }) => CODE_LABEL.test(label))
  if (files.length === 0 && codes.length === 1 && entry !== undefined)
    files.push({ path: entry, text: codes[0]?.text ?? '' })
  const about = readAbout(fences)
  if ('unusable' in about) return about
  const { title, intent, expected, confidence, changes = [], remove = [] } = about
  for (const path of remove) files.push({ path, text: null })
  if (files.length === 0)
    return {
      unusable:
        'no file was found in the answer: write each whole file in a fence whose first line is ```file modules/name.ts',
    }
  const twice = files.find(({ path }, index) => files.findIndex((one) => one.path === path) !== index)
  if (twice !== undefined) return { unusable: `${twice.path} is there twice: write each file once` }
  const first = title ?? `Change ${files.map(({ path }) => path).join(', ')}`
  return {
    change: {
      title: first,
      intent: intent ?? first,
      expected: expected as ExpectedEffect | undefined,
      confidence,
      changes: changes as DeclaredChange[],
      files,
    },
  }
}

function readAbout(fences: readonly Fence[]): z.infer<typeof aboutSchema> | { unusable: string } {
  const block = fences.find(({ label }) => /^json$/i.test(label))
  if (block === undefined) return {}
  try {
    const read = aboutSchema.safeParse(JSON.parse(block.text))
    if (read.success) return read.data
    const [issue] = read.error.issues
    return { unusable: `the JSON block does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` }
  } catch (thrown) {
    return { unusable: `the JSON block cannot be read: ${reasonOf(thrown)}` }
  }
}

function bracketFiles(answer: string): AnsweredChange['files'] {
  return scan(answer).flatMap((part) => {
    if (part.kind !== 'call' || part.name !== 'propose_file') return []
    const { path, text } = part.params
    return typeof path === 'string' && typeof text === 'string' ? [{ path, text }] : []
  })
}
