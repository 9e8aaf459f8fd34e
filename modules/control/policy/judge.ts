/**
 * Joins what the parts of the policy say to one verdict: the strictest tier holds, and the first reason of that tier is
 * the one that is told. Pure: what has to be looked up (where a path leads, what a config runs, how often somebody has
 * asked) comes in as facts. Called by the policy's module only.
 */
import type {
  Autonomy,
  Change,
  Direction,
  PolicyQuestion,
  PolicyReason,
  PolicyVerdict,
  Tier,
} from '../../contracts/policy.ts'
import { byAutonomy, byImpact, highest, IMPACT, isOfSystem } from './altitude.ts'
import { classify } from './classify.ts'
import { isJudge, protectedBy } from './protected.ts'
import { byRules, type Rule } from './rules.ts'

export interface Settings {
  autonomy: Autonomy
  production: boolean
  directions: Readonly<Record<string, Direction>>
  rules: readonly Rule[]
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
}

const TIERS: readonly Tier[] = ['AUTO_APPROVE', 'HUMAN_REVIEW', 'NEVER']
const UNDOABLE = new Set<string>(['restore_file', 'restore_value', 'remove_file', 'remove_grant'])

export function judge(question: PolicyQuestion, settings: Settings, facts: Facts): PolicyVerdict {
  const made = question.changes.filter((change, index) => isOfSystem(change, facts.changes[index]?.path))
  const altitude = highest(made, settings.directions)
  const impact = made.length === 0 ? 'MINIMAL' : IMPACT[altitude]
  const { notice, ...matrix } = byImpact(impact, settings.production)
  const reasons = question.changes.flatMap((change, index) =>
    ofChange(change, facts.changes[index] ?? {}, question, settings).map((one) => ({ ...one, change: index })),
  )
  if (made.length > 0) {
    reasons.push({ by: 'impact', ...matrix } as (typeof reasons)[number])
    const general: PolicyReason[] = [{ by: 'autonomy', ...byAutonomy(settings.autonomy, altitude) }, ...undo(question)]
    reasons.push(...(general as typeof reasons))
  }
  if (facts.rate !== undefined)
    reasons.push({ by: 'rate', tier: 'NEVER', rule: 'rate', message: facts.rate } as (typeof reasons)[number])
  const tier = TIERS[Math.max(0, ...reasons.map((one) => TIERS.indexOf(one.tier)))] as Tier
  const first = reasons.find((one) => one.tier === tier)
  return {
    tier,
    rule: first?.rule ?? 'nothing_changes',
    message: first?.message ?? 'it changes nothing the system is made of',
    altitude,
    impact,
    confirm_twice: tier === 'HUMAN_REVIEW' && impact === 'CRITICAL',
    notice: tier === 'AUTO_APPROVE' && notice,
    reasons,
  }
}

function ofChange(change: Change, found: ChangeFacts, { actor }: PolicyQuestion, settings: Settings): PolicyReason[] {
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
  if (change.kind === 'value') reasons.push({ by: 'classifier', ...classify(change, settings.directions) })
  if (change.kind === 'grant')
    reasons.push({
      by: 'classifier',
      tier: 'HUMAN_REVIEW',
      rule: 'grant_growth',
      message: `${change.service} would get ${change.grant}`,
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
