/** What the loop says of itself when asked: scores as numbers and bars, gaps, domains, and one line. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DomainView } from '../../../modules/contracts/meta-metrics.ts'
import type { Json } from '../../../modules/contracts/seams.ts'
import { CADENCE, startLoop, type Loop } from './loop.ts'
import { domainOf, worked } from './made.ts'

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(
    `${CADENCE}strategic_goals: [{id: reach, metric: test.goal, direction: up, target: 5, weight: 1}]\n`,
  )
})
afterEach(() => loop.stop())

const drifting = (name: string, rate: number): Json =>
  domainOf(name, {
    success_rate: { value: rate, samples: 100 },
    drift: { success_rate: -0.4 },
  }) satisfies DomainView as unknown as Json

it('tells the goals, how far off they are, and which domains do badly, as the newest snapshot has it', async () => {
  loop.tell({ values: { 'test.goal': 3 }, domains: [drifting('shop', 0.5), drifting('desk', 0.99)] })
  const { findings } = await loop.cycle()
  expect(findings).toMatchObject([{ rule: 'multi_domain_drift', context: { domains: ['desk', 'shop'] } }])
  const status = await loop.meta.status()
  expect(status).toMatchObject({
    gaps: [{ goal: 'reach', current: 3, target: 5, gap: 2 }],
    domains: { under: ['shop'], over: ['desk'] },
  })
  expect(status.line).toMatch(/^\[Meta-loop: balanced, last cycle #1 completed, .*score 0\.894, not reached: reach\]$/)
  expect(status.bars[1]).toBe('G2 economical  ███████░░░  70 %')
})

it('has neither bars nor a score of nothing', async () => {
  loop.tell({ operation: worked(), since: worked() })
  expect((await loop.meta.status()).bars[0]).toBe('G1 truthful    ·········· no data')
  loop.tell({ operation_fails: true })
  expect(await loop.meta.status()).toMatchObject({ scores: null, bars: [], domains: { under: [], over: [] } })
})
