/** The judge of a month, and its maker: what is against the rules is said, what is not is not, and a seed makes the same month. */
import { describe, expect, it } from 'vitest'
import type { Cycle, Finding } from '../../../modules/contracts/meta-loop.ts'
import type { Proposal } from '../../../modules/contracts/proposals.ts'
import { begunCycle } from '../../../modules/control/meta-loop/begun-cycle.ts'
import { FAULTS, ROWS } from './faults.ts'
import { judge, type Lived } from './judge.ts'
import { DAY, HOUR, loadAt, planOf, sizeAt, type Plan } from './plan.ts'

const BEGIN = 1_750_000_000_000
const MINUTE_MS = 60_000
const OUTAGE = { kind: 'outage' as const, at: DAY, minutes: 2 * HOUR, size: 0.7 }
const plan: Plan = { seed: 1, days: 30, faults: [OUTAGE], quiet: [20 * DAY, 27 * DAY], acts: [] }

let numbers = 0
const cycleAt = (minute: number, more: Partial<Cycle> = {}): Cycle => ({
  ...begunCycle(++numbers, 'manual', BEGIN + minute * MINUTE_MS),
  status: 'completed',
  ...more,
})
const finding = (rule: string, context = {}): Finding => ({ rule, kind: 'threshold', context }) as unknown as Finding
const seen = cycleAt(DAY + 30, { findings: [finding('error_spike')] })
const proposalAt = (minute: number, rule: string): Proposal =>
  ({ id: 'c1', intent: `for ${rule}: x`, title: 'x', created_at: BEGIN + minute * MINUTE_MS }) as Proposal
const lived = (more: Partial<Lived> = {}): Lived => ({
  cycles: [seen],
  throttled: 0,
  proposals: [],
  ledger: { valid: true, entries: 1 },
  errors: [],
  begin: BEGIN,
  ...more,
})
const against = (more: Partial<Lived>): string[] => judge(plan, lived(more)).violations

describe('a month', () => {
  it('in which all is as it should be has nothing against it, and says what was seen when', () => {
    const judged = judge(plan, lived())
    expect(judged.violations).toEqual([])
    expect(judged.found).toEqual([{ kind: 'outage', size: 0.7, after_min: 30, by: 'error_spike' }])
  })

  it('has a fault that was seen before it began, too late, or by what does not show it', () => {
    const missed = ['outage of 0.70 from day 1 0 h on was not seen within 1 h']
    expect(against({ cycles: [cycleAt(DAY - 1, { findings: [finding('error_spike')] })] })).toEqual(missed)
    expect(against({ cycles: [cycleAt(DAY + 61, { findings: [finding('error_spike')] })] })).toEqual(missed)
    expect(against({ cycles: [cycleAt(DAY + 30, { findings: [finding('redundancy')] })] })).toEqual(missed)
  })

  it('has more than one proposal a week for what was not wrong', () => {
    const early = proposalAt(60, 'success_rate_drop')
    const other = proposalAt(DAY + 40, 'budget_overrun')
    expect(against({ proposals: [early] })).toEqual([])
    expect(against({ proposals: [early, proposalAt(8 * DAY, 'G2_economical')] })).toEqual([])
    expect(against({ proposals: [early, proposalAt(DAY + 40, 'success_rate_drop')] })).toEqual([])
    expect(against({ proposals: [early, other] })).toEqual([
      expect.stringContaining('2 proposals in week 0 for nothing'),
    ])
  })

  it('has cycles beyond their cadence, in any stretch of time', () => {
    const at = (...minutes: number[]): Cycle[] => minutes.map((minute) => cycleAt(minute))
    const withSeen = (cycles: Cycle[]): string[] =>
      judge({ ...plan, faults: [] }, lived({ cycles })).violations.map((one) => one.replace(/^.*was begun: /, ''))
    expect(withSeen(at(0, 20, 40, 59))).toEqual([])
    expect(withSeen(at(30, 50, 70, 80, 89))).toEqual(['more than 4 an hour'])
    expect(withSeen(at(0, 2.9))).toEqual(['less than 180 s after another'])
    expect(withSeen(at(0, 3))).toEqual([])
    expect(withSeen(at(...Array.from({ length: 21 }, (_, index) => index * 60)))).toEqual(['more than 20 a day'])
    const emergencies = [0, 1, 2].map((minute) => cycleAt(minute, { trigger: 'emergency' }))
    expect(withSeen(emergencies)).toEqual(['more than 2 emergencies an hour'])
    expect(withSeen(emergencies.slice(1))).toEqual([])
  })

  it('has scores and proposals a day after the last work, failed cycles, errors, and a broken ledger', () => {
    const scores = { goals: { G1_truthful: 1 }, aggregate: 1, below_threshold: [] } as unknown as Cycle['scores']
    const late = 22 * DAY
    expect(against({ cycles: [seen, cycleAt(late, { scores })] })).toEqual([expect.stringContaining('has scores')])
    expect(against({ proposals: [proposalAt(late, 'G1_truthful')] })).toEqual([expect.stringContaining('quiet week')])
    expect(against({ cycles: [seen, cycleAt(60, { status: 'failed', reason: 'no' })] })).toHaveLength(1)
    expect(against({ errors: ['no'] })).toHaveLength(1)
    expect(against({ ledger: { valid: false, entries: 0 } })).toEqual(['the ledger does not verify'])
  })
})

describe('a plan', () => {
  it('is the same for the same seed, and has each fault once at most, at least of its size, where there is work', () => {
    expect(planOf(7, { days: 30 })).toEqual(planOf(7, { days: 30 }))
    expect(planOf(7, { days: 30 })).not.toEqual(planOf(8, { days: 30 }))
    for (let seed = 1; seed <= 50; seed++) {
      const made = planOf(seed, { days: 30 })
      expect(new Set(made.faults.map(({ kind }) => kind)).size).toBe(made.faults.length)
      for (const { kind, at, minutes, size } of made.faults) {
        expect(size).toBeGreaterThanOrEqual(ROWS[kind].size[0])
        expect(at + minutes).toBeLessThanOrEqual(30 * DAY)
        expect(loadAt(made, at)).toBe(1)
        expect(sizeAt(made, kind, at)).toBe(size)
      }
      expect(loadAt(made, made.quiet[0])).toBe(0)
      expect(made.quiet[1] - made.quiet[0]).toBe(7 * DAY)
    }
  })

  it('has each kind of fault in most months', () => {
    const plans = Array.from({ length: 50 }, (_, seed) => planOf(seed, { days: 30 }))
    for (const kind of FAULTS)
      expect([kind, plans.filter(({ faults }) => faults.some((one) => one.kind === kind)).length > 25]).toEqual([
        kind,
        true,
      ])
  })
})
