/**
 * Each guard is there for a reason: without it, at least one attack ends otherwise than declared. A copy of the product
 * is run on the cases of a guard, once as it is and once without.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ATTACKS } from '../attacks/cases/index.ts'
import { GUARDS, type Edit } from '../attacks/guards.ts'
import type { CorpusResult } from '../attacks/run.ts'
import { cleanEnv, typescriptArgs } from '../support/process.ts'
import { packageRoot } from '../support/root.ts'

const PARTS = ['modules', 'configs', 'prompts', 'test/support', 'test/attacks', 'package.json', 'tsconfig.json']
const LINKED = ['node_modules', 'vendor']
/** The copies are made once, and used by one guard after the other. */
const LANES = 2
const RUN_MS = 120_000

/** A copy without some guards, on the cases of one of them. */
interface Trial {
  key: string
  edits: readonly Edit[]
  cases: readonly string[]
}

const TRIALS: readonly Trial[] = GUARDS.flatMap(({ name, behind = [], cases, ...own }) => {
  const without = { key: name, edits: joined([...behind, own]), cases }
  return behind.length === 0 ? [without] : [without, { key: `before ${name}`, edits: joined(behind), cases }]
})

const copies: string[] = []
const found = new Map<string, Promise<string[]>>()

beforeAll(() => {
  for (let lane = 0; lane < LANES; lane++) {
    const copy = mkdtempSync(join(tmpdir(), 'mm-guards-'))
    copies.push(copy)
    for (const part of PARTS) cpSync(join(packageRoot, part), join(copy, part), { recursive: true })
    for (const part of LINKED) symlinkSync(join(packageRoot, part), join(copy, part))
  }
  const free = copies.map(() => Promise.resolve())
  for (const [index, trial] of TRIALS.entries()) {
    const lane = index % LANES
    const result = (free[lane] as Promise<void>).then(() => failuresOf(trial, copies[lane] as string))
    found.set(trial.key, result)
    free[lane] = result.then(
      () => undefined,
      () => undefined,
    )
  }
})
afterAll(async () => {
  await Promise.allSettled(found.values())
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
})

/** One for each file. */
function joined(edits: readonly Edit[]): Edit[] {
  const byFile = new Map<string, (readonly [string, string])[]>()
  for (const { file, without } of edits) byFile.set(file, [...(byFile.get(file) ?? []), ...without])
  return [...byFile].map(([file, without]) => ({ file, without }))
}

/** Cases that end otherwise than declared; all of them when the process did not get to the end. */
async function failuresOf({ edits, cases }: Trial, copy: string): Promise<string[]> {
  const whole = edits.map(({ file, without }) => {
    const path = join(copy, file)
    const text = readFileSync(path, 'utf8')
    return { path, text, edited: edited(text, without) }
  })
  for (const { path, edited: other } of whole) writeFileSync(path, other)
  try {
    return await failures(copy, cases)
  } finally {
    for (const { path, text } of whole) writeFileSync(path, text)
  }
}

function edited(text: string, without: Edit['without']): string {
  let other = text
  for (const [from, to] of without) {
    expect(other.split(from)).toHaveLength(2)
    other = other.replace(from, () => to)
  }
  return other
}

function failures(copy: string, cases: readonly string[]): Promise<string[]> {
  const command = [...typescriptArgs(), join(copy, 'test/attacks/run.ts'), ...cases]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd: copy, env: cleanEnv(), stdio: ['ignore', 'pipe', 'ignore'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS)
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('close', () => {
      clearTimeout(timer)
      resolve(text === '' ? [...cases] : failed(text))
    })
  })
}

const failed = (text: string): string[] =>
  (JSON.parse(text.trim().split('\n').at(-1) ?? '') as CorpusResult).verdicts.flatMap((one) => (one.ok ? [] : [one.id]))

it('every guard names cases that there are', () => {
  const ids = new Set(ATTACKS.map(({ id }) => id))
  expect(GUARDS.flatMap(({ cases }) => cases).filter((id) => !ids.has(id))).toEqual([])
})

describe('is noticed when it is gone', () => {
  it.each(GUARDS.map(({ name }) => name))('%s', async (name) => {
    expect(await found.get(name)).not.toEqual([])
  })
})

describe('does alone what another guard does before it', () => {
  it.each(GUARDS.filter(({ behind }) => behind !== undefined).map(({ name }) => name))('%s', async (name) => {
    expect(await found.get(`before ${name}`)).toEqual([])
  })
})

it('with all of them in place, the same cases end as declared', async () => {
  await Promise.allSettled(found.values())
  const all = [...new Set(GUARDS.flatMap(({ cases }) => cases))]
  expect(await failures(copies[0] as string, all)).toEqual([])
})
