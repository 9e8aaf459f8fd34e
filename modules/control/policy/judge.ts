/**
 * Joins what the parts of the policy say to one verdict: the strictest tier holds, and the first reason of that tier is
 * the one that is told. Pure: what has to be looked up (where a path leads, what a config runs, how often somebody has
 * asked) comes in as facts. Called by the policy's module only.
 */
import type {
  Altitude,
  Autonomy,
  Change,
  Direction,
  PolicyQuestion,
  PolicyReason,
  PolicyVerdict,
  Tier,
} from '../../contracts/policy.ts'
import { altitudeOf, byAutonomy, byImpact, highest, IMPACT, isOfSystem } from './altitude.ts'
import { classify } from './classify.ts'
import { directionOf } from './directions.ts'
import { isJudge, protectedBy } from './protected.ts'
import { byRules, type Rule } from './rules.ts'

export interface Settings {
  autonomy: Autonomy
  production: boolean
  directions: Readonly<Record<string, Direction>>
  rules: readonly Rule[]
  /** how high a change may reach at all */
  altitudes: readonly Altitude[]
  /** tool calls that do not say they only read wait for a person */
  review_calls: boolean
  notices: boolean
}

/** What was looked up of one change. */
export interface ChangeFacts {
  /** where its path leads, after links, from the root; undefined for a change without a path */
  path?: string
  /** of the config it touches */
  config?: { api?: unknown; prog?: unknown }
}

export interface Facts {
  changes: readonly ChangeFacts[]
  /** set when the actor has asked too often; says by which limit */
  rate?: string
  /** an operator has frozen the system */
  frozen?: boolean
}

const TIERS: readonly Tier[] = ['AUTO_APPROVE', 'HUMAN_REVIEW', 'NEVER']
const UNDOABLE = new Set<string>(['restore_file', 'restore_value', 'remove_file', 'remove_grant'])

export function judge(question: PolicyQuestion, settings: Settings, facts: Facts): PolicyVerdict {
  const directions = question.changes.map((change, index) =>
    directionOf(change, facts.changes[index]?.config?.prog, settings.directions),
  )
  const made = question.changes.flatMap((change, index) =>
    isOfSystem(change, facts.changes[index]?.path) ? altitudeOf(change, directions[index]) : [],
  )
  const altitude = highest(made)
  const impact = made.length === 0 ? 'MINIMAL' : IMPACT[altitude]
  const { notice, ...matrix } = byImpact(impact, settings.production)
  const reasons: PolicyReason[] = question.changes.flatMap((change, index) =>
    ofChange(change, { ...facts.changes[index], direction: directions[index] }, question, settings).map((one) => ({
      ...one,
      change: index,
    })),
  )
  if (made.length > 0) {
    if (facts.frozen === true && question.origin !== 'human')
      reasons.push(never('freeze', 'frozen', 'an operator has frozen the system (runtime/FREEZE)'))
    const other = question.altitude && made.find((one) => one !== question.altitude)
    if (other !== undefined)
      reasons.push(never('scope', 'altitude_second', `it says it is ${question.altitude}; a change in it is ${other}`))
    if (!settings.altitudes.includes(altitude))
      reasons.push(never('scope', 'altitude_off', `changes of ${altitude} are switched off`))
    if (question.review !== undefined)
      reasons.push({ by: 'asker', tier: 'HUMAN_REVIEW', rule: 'asked_for_review', message: question.review })
    reasons.push({ by: 'impact', ...matrix }, { by: 'autonomy', ...byAutonomy(settings.autonomy, altitude) })
    reasons.push(...undo(question))
  }
  if (facts.rate !== undefined) reasons.push(never('rate', 'rate', facts.rate))
  const tier = TIERS[Math.max(0, ...reasons.map((one) => TIERS.indexOf(one.tier)))] as Tier
  const first = reasons.find((one) => one.tier === tier)
  return {
    tier,
    rule: first?.rule ?? 'nothing_changes',
    message: first?.message ?? 'it changes nothing the system is made of',
    altitude,
    impact,
    confirm_twice: tier === 'HUMAN_REVIEW' && impact === 'CRITICAL',
    notice: tier === 'AUTO_APPROVE' && notice && settings.notices,
    reasons,
  }
}

const never = (by: string, rule: string, message: string): PolicyReason => ({ by, tier: 'NEVER', rule, message })

type Found = ChangeFacts & { direction: Direction | undefined }

function ofChange(change: Change, found: Found, { actor }: PolicyQuestion, settings: Settings): PolicyReason[] {
  const reasons: PolicyReason[] = []
  const written = change.kind === 'file' ? change.path : change.kind === 'value' ? change.file : undefined
  for (const path of new Set([written, found.path])) {
    const rule = path === undefined ? undefined : protectedBy(path)
    if (rule !== undefined)
      reasons.push({ by: 'protected', tier: 'NEVER', rule, message: `${path} is nothing the system may change itself` })
  }
  if (found.config !== undefined && isJudge(found.config))
    reasons.push({
      by: 'protected',
      tier: 'NEVER',
      rule: 'gate_config',
      message: 'the config of a service that judges',
    })
  if (change.kind === 'value') reasons.push({ by: 'classifier', ...classify(change, found.direction) })
  if (change.kind === 'grant')
    reasons.push({
      by: 'classifier',
      tier: 'HUMAN_REVIEW',
      rule: 'grant_growth',
      message: `${change.service} would get ${change.grant}`,
    })
  if (change.kind === 'tool' && settings.review_calls && change.read_only !== true)
    reasons.push({
      by: 'profile',
      tier: 'HUMAN_REVIEW',
      rule: 'review_calls',
      message: `${change.tool} does not say that it only reads`,
    })
  reasons.push(...byRules(settings.rules, change, actor).map((one) => ({ by: 'rules', ...one })))
  return reasons
}

/** What cannot be taken back does not go through: every change but a tool call needs steps that somebody can do. */
function undo({ undo: steps = [] }: PolicyQuestion): PolicyReason[] {
  const unknown = steps.find(({ operation }) => !UNDOABLE.has(operation))
  if (steps.length > 0 && unknown === undefined) return []
  const message =
    unknown === undefined ? 'it says no way back' : `nobody knows how to do ${unknown.operation} of its way back`
  return [{ by: 'undo', tier: 'NEVER', rule: 'no_undo', message }]
}
