/** What a person is told of: changes in a row that did not help, and a pattern that outlives its change. */
import { expect, it } from 'vitest'
import { alertsOf, type AlertFacts } from '../../../modules/control/meta-loop/alerts.ts'
import { begunCycle } from '../../../modules/control/meta-loop/begun-cycle.ts'

const proposal = (id: string, state: string, changed_at = 0) => ({ id, state, changed_at }) as never
const facts = (more: Partial<AlertFacts>): AlertFacts => ({
  cycles: [],
  proposals: [],
  proposed: [],
  limits: { failures_max: 2, gap_cycles: 5 },
  ...more,
})

it('GRACE 30: changes that did not help are an alert from the second in a row on', () => {
  const keys = (states: string[]): string[] =>
    alertsOf(facts({ proposals: states.map((state, index) => proposal(`c${index}`, state)) })).map(({ key }) => key)
  expect(keys(['restored', 'watching', 'restored'])).toEqual(['verification_failures'])
  expect(keys(['restored', 'confirmed', 'restored'])).toEqual([])
  expect(keys(['restored'])).toEqual([])
})

it('GRACE 30: a pattern that is seen still, in a cycle after its change was kept, is an alert', () => {
  const cycle = { ...begunCycle(2, 'manual', 100), findings: [{ rule: 'slow', fingerprint: 'f' } as never] }
  const proposed = [{ fingerprint: 'f', proposal: 'c1', key: 'f', cycle: 1, rule: 'slow', at: 0 }]
  const keys = (changed_at: number): string[] =>
    alertsOf(facts({ cycles: [cycle], proposed, proposals: [proposal('c1', 'confirmed', changed_at)] })).map(
      ({ key }) => key,
    )
  expect(keys(50)).toEqual(['pattern_survives slow'])
  expect(keys(100)).toEqual([])
})
