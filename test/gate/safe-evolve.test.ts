import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { apply, mutations, weights } from '../../bench/safe-evolve/corpus.ts'
import { readResults, runTrials } from '../../bench/safe-evolve/run.ts'
import { figures, lines, survived } from '../../bench/safe-evolve/score.ts'
import { packageRoot } from '../support/root.ts'

const QUICK = { seed: 7, warm_ms: 700, observe_ms: 800, probes: 50, lanes: 2 }

const only = (...ids: string[]) => mutations.filter(({ id }) => ids.includes(id))

it('there are as many changes of each class as the weights say, and each applies to its subject', () => {
  const counts: Record<string, number> = {}
  for (const { class: kind } of mutations) counts[kind] = (counts[kind] ?? 0) + 1
  expect(counts).toEqual(weights)
  expect(mutations.length).toBe(120)
  expect(new Set(mutations.map(({ id }) => id)).size).toBe(120)
  expect(new Set(mutations.map(({ subject }) => subject)).size).toBe(8)
  const texts = mutations.map((mutation) => apply(mutation, '/nowhere'))
  expect(new Set(texts).size).toBe(120)
})

it('the small peers are small: 60 lines with what they share', () => {
  for (const peer of ['naive', 'import-first']) {
    const text = readFileSync(join(packageRoot, 'bench/safe-evolve/peers', `${peer}.ts`), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(60)
  }
})

it('the judge tells bad changes from good ones on a peer that takes all that loads', async () => {
  const chosen = only(
    'neutral-pricing-comment',
    'fix-scheduler-tie',
    'load-kv-syntax',
    'throws-pricing-always',
    'contract-pricing-method',
    'hang-queue-idle',
    'take-kv-file',
  )
  const results = await runTrials('import-first', chosen, QUICK)
  const of = (id: string) => results.find(({ mutation }) => mutation === id)
  expect(results.map(({ mutation }) => mutation).sort()).toEqual(chosen.map(({ id }) => id).sort())
  for (const id of ['neutral-pricing-comment', 'fix-scheduler-tie'])
    expect(of(id)).toMatchObject({ candidate: true, serving: true, failed: 0, wrong: 0, residue: [] })
  expect(of('load-kv-syntax')).toMatchObject({ verdict: 'refused', candidate: false, serving: true, wrong: 0 })
  for (const id of ['throws-pricing-always', 'contract-pricing-method', 'hang-queue-idle', 'take-kv-file'])
    expect(survived(of(id) as never), id).toBe(true)
  expect(of('throws-pricing-always')?.failed).toBeGreaterThan(0)
  expect(of('hang-queue-idle')).toMatchObject({ serving: false })
  expect(of('take-kv-file')).toMatchObject({ residue: ['file rows.txt'] })
  expect(figures(results)).toEqual({ bad: 5, surviving: 4, good: 2, refused: 0 })
  expect(lines(results).find(([name]) => name === 'S1 surviving')?.[1]).toBe('4 = 80.0 %')
})

it('the order of the paper leaves a service that does not load down, and loses state', async () => {
  const results = await runTrials('naive', only('load-kv-syntax', 'neutral-kv-rename'), QUICK)
  const of = (id: string) => results.find(({ mutation }) => mutation === id)
  expect(of('load-kv-syntax')).toMatchObject({ serving: false })
  expect(of('neutral-kv-rename')).toMatchObject({ candidate: true, state_lost: true })
})

it('a run that was cut off goes on where it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mm-test-'))
  const file = join(folder, 'results.jsonl')
  const [one, two] = only('neutral-pricing-comment', 'perf-pricing-no-copy')
  const first = await runTrials('import-first', [one as never], { ...QUICK, file })
  const told: string[] = []
  await runTrials('import-first', [one as never, two as never], {
    ...QUICK,
    file,
    told: ({ mutation }) => told.push(mutation),
  })
  expect(told).toEqual([two?.id])
  expect(readResults(file)[0]).toEqual(first[0])
  rmSync(folder, { recursive: true })
})

it('through the gate no bad change gets, nobody gets a wrong answer, and what is good is taken', async () => {
  const bad = only(
    'load-kv-syntax',
    'contract-pricing-method',
    'throws-pricing-always',
    'take-kv-file',
    'config-limits-yaml',
  )
  const good = only('neutral-pricing-comment', 'perf-scheduler-together')
  const results = await runTrials('gate', [...good, ...bad], { ...QUICK, warm_ms: 1_500 })
  expect(results.length).toBe(7)
  expect(figures(results)).toMatchObject({ bad: 5, good: 2 })
  const bads = new Set(bad.map(({ id }) => id))
  expect(results.filter((one) => bads.has(one.mutation) && survived(one))).toEqual([])
  for (const result of results) {
    const { mutation, failed, wrong, residue, ledger, serving, state_lost } = result
    expect({ mutation, failed, wrong, residue, ledger, serving, state_lost }, JSON.stringify(result)).toEqual({
      mutation,
      failed: 0,
      wrong: 0,
      residue: [],
      ledger: true,
      serving: true,
      state_lost: false,
    })
  }
  // How fast a candidate is measured to be is the machine's affair; that a check refuses it would be the gate's.
  for (const { id } of good) {
    const result = results.find(({ mutation }) => mutation === id)
    expect(result?.verdict, JSON.stringify(result)).not.toBe('refused')
  }
})
