/** The critic: what it does with findings, and which of two that want the same value goes first. */
import { expect, it } from 'vitest'
import type { Finding } from '../../../../modules/contracts/meta-loop.ts'
import { critic } from '../../../../modules/control/meta-loop/scoring/critic.ts'
import { scoresOf } from '../../../../modules/control/meta-loop/scoring/scores.ts'
import { allSignals, belowAs, criticized, live } from '../asked.ts'
import { worked } from '../made.ts'

const finding = (rule: string, change?: Finding['change']): Finding => ({
  rule,
  kind: 'threshold',
  severity: 'warning',
  description: `${rule} holds`,
  context: {},
  altitudes: ['config'],
  fingerprint: rule,
  confidence: 1,
  ...(change === undefined ? {} : { change }),
})
const STEPS_MAX = { file: 'configs/agents/assistant.yml', key: 'steps_max' }

it('a finding that would change a value is enough where no goal is below', () => {
  const { action, confidence, changes, findings } = criticized(
    [],
    [finding('a', { ...STEPS_MAX, add: -2 }), finding('b')],
  )
  expect([action, confidence, findings.length]).toEqual(['POLICY_UPDATE', 0.6, 2])
  expect(changes).toMatchObject([{ old: 8, new: 6, for: 'a', reason: 'a holds' }])
  expect(criticized([], [finding('b')])).toMatchObject({ action: 'NO_ACTION', findings: [{ rule: 'b' }] })
})

it('with three goals below, findings change nothing either, and are told', () => {
  const output = criticized(['G1_truthful', 'G2_economical', 'G3_reliable'], [finding('a', { ...STEPS_MAX, add: -2 })])
  expect(output).toMatchObject({ action: 'ALERT', changes: [], findings: [{ rule: 'a' }] })
})

it('of a goal and a finding that want the same value, the goal goes first', () => {
  const { changes } = criticized(
    ['G2_economical'],
    [finding('a', { ...STEPS_MAX, value: 3 }), finding('c', { ...STEPS_MAX, value: 4 })],
  )
  expect(changes).toMatchObject([{ new: 6, for: 'G2_economical' }])
})

it('a value that is not there, or is no number, is not turned', () => {
  const change = { file: 'configs/none.yml', key: 'x', factor: 2 }
  expect(criticized([], [finding('a', change)]).action).toBe('NO_ACTION')
})

it('the same change of the same snapshot has the same id, and of another another', () => {
  const asked = (id: string) =>
    critic(
      {
        scores: belowAs(['G2_economical']),
        signals: allSignals('validated'),
        snapshot: { id },
        sure: ['G2_economical'],
      },
      [],
      live,
    )
  expect(asked('s1')).toEqual(asked('s1'))
  expect(asked('s2').changes[0]?.change_id).not.toBe(asked('s1').changes[0]?.change_id)
})

it('says that there is no data where nothing is scored', () => {
  const idle = { scores: scoresOf(worked()), signals: allSignals('unvalidated'), snapshot: { id: 's1' }, sure: [] }
  expect(critic(idle, [], live)).toMatchObject({ action: 'NO_ACTION', reason: 'there is no data to score' })
})
