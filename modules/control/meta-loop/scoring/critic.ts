/**
 * What the loop concludes: nothing is below its threshold, nothing is done; one or two goals are, values that serve them
 * are turned; more are, then something larger is wrong, and only a person is told. At most one change for each goal and
 * each value, from the value as it is now; nothing on a signal that is not validated, nor on what may be chance. It
 * cannot be switched off. Pure; called at critique, where its changes go on to the policy.
 */
import type { CriticOutput, Finding, MetaGoal, Perception } from '../../../contracts/meta-loop.ts'
import type { ExpectedEffect } from '../../../contracts/proposals.ts'
import type { Json } from '../../../contracts/seams.ts'
import { canonicalJson } from '../../../lib/canonical-json.ts'
import { shortHash } from '../../../lib/hash.ts'
import { KNOBS, type Knob } from './knobs.ts'
import { mayProposeFor } from './signals.ts'
import { stepOf, stepped, type Step } from './step.ts'

/** A value as it is now; undefined: there is none. */
export type LiveValues = (file: string, key: string) => Json | undefined

type Change = CriticOutput['changes'][number]

/** From so many goals below their threshold on, a person is told instead. */
const ALERT_BELOW = 3
const SURE = 0.9
const ALERTED = 0.7
const REVISED = 0.6
const ID_DIGITS = 8

export type Criticized = Pick<Perception, 'scores' | 'signals'> & {
  snapshot: { id: string }
  /** of those below their threshold, the ones that are so by more than chance */
  sure: readonly MetaGoal[]
}

export function critic(
  perception: Criticized,
  findings: readonly Finding[],
  values: LiveValues,
  knobs: readonly Knob[] = KNOBS,
): CriticOutput {
  const below = perception.scores.below_threshold
  if (below.length >= ALERT_BELOW)
    return {
      action: 'ALERT',
      reason: `${below.join(', ')} are below their thresholds at once: a person should look`,
      confidence: ALERTED,
      findings: [...findings],
      changes: [],
    }
  const backed = below.filter((goal) => perception.sure.includes(goal) && mayProposeFor(goal, perception.signals))
  const wanted = [...backed.flatMap((goal) => forGoal(goal, knobs)), ...findings.flatMap(forFinding)]
  const changes = distinct(wanted, perception.snapshot.id, values)
  if (below.length === 0 && changes.length === 0)
    return { action: 'NO_ACTION', reason: noAction(perception), confidence: SURE, findings: [...findings], changes }
  return {
    action: 'POLICY_UPDATE',
    reason: revision(below, backed),
    confidence: REVISED,
    findings: [...findings],
    changes,
  }
}

const noAction = ({ scores }: Criticized): string =>
  scores.aggregate === null ? 'there is no data to score' : 'all goals with data are at their thresholds or above'

function revision(below: readonly MetaGoal[], backed: readonly MetaGoal[]): string {
  if (below.length === 0) return 'findings would change a value'
  const held = below.filter((goal) => !backed.includes(goal))
  const said = `${below.join(' and ')} below threshold`
  return held.length === 0
    ? said
    : `${said}; nothing is proposed for ${held.join(' and ')}: no validated signal, or it may be chance`
}

interface Wanted {
  file: string
  key: string
  step: Step
  reason: string
  for: string
  expected?: ExpectedEffect | undefined
}

const forGoal = (goal: MetaGoal, knobs: readonly Knob[]): Wanted[] =>
  knobs
    .filter((knob) => knob.goal === goal)
    .map(({ file, key, direction }) => ({
      file,
      key,
      step: stepOf(direction),
      reason: `${goal} is below its threshold`,
      for: goal,
    }))

const forFinding = ({ rule, description, change, expected }: Finding): Wanted[] =>
  change === undefined
    ? []
    : [{ file: change.file, key: change.key, step: change, reason: description, for: rule, expected }]

/** The first for each goal or rule, and for each value, that changes something. */
function distinct(wanted: readonly Wanted[], snapshot: string, values: LiveValues): Change[] {
  const taken = new Set<string>()
  const changes: Change[] = []
  for (const { file, key, step, reason, for: whom, expected } of wanted) {
    const names = [`for ${whom}`, `at ${file} ${key}`]
    if (names.some((name) => taken.has(name))) continue
    const old = values(file, key)
    const next = stepped(old, step)
    if (old === undefined || next === undefined) continue
    for (const name of names) taken.add(name)
    const change_id = shortHash(canonicalJson({ snapshot, file, key, old, new: next })).slice(0, ID_DIGITS)
    const change = { change_id, file, key, old, new: next, reason, for: whom }
    changes.push(expected === undefined ? change : { ...change, expected })
  }
  return changes
}
