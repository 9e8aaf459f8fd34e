/**
 * How high a change reaches, and how much is at stake there: the altitude by what it touches, the risk of each altitude
 * (SynthOrg), and what a person has to do with it (GRACE). Pure.
 */
import type {
  Altitude,
  Autonomy,
  Change,
  Direction,
  FileChange,
  Impact,
  PolicyReason,
  Tier,
} from '../../contracts/policy.ts'
import { isPower } from './config-changes.ts'

const ORDER: readonly Altitude[] = ['tuning', 'config', 'prompt', 'structure', 'tool', 'code', 'kernel']

export const IMPACT: Readonly<Record<Altitude, Impact>> = {
  tuning: 'LOW',
  config: 'MODERATE',
  prompt: 'MODERATE',
  structure: 'HIGH',
  tool: 'HIGH',
  code: 'CRITICAL',
  kernel: 'CRITICAL',
}

/** Each level lets through what the one before does, and these. */
const WIDENED: Readonly<Record<Autonomy, readonly Altitude[]>> = {
  locked: [],
  supervised: [],
  semi: ['tuning'],
  full: ['tuning', 'config'],
}

/** `direction`: of the value it changes, where one is known. */
export function altitudeOf(change: Change, direction: Direction | undefined): Altitude {
  switch (change.kind) {
    case 'value':
      if (isPower(change.key)) return 'structure'
      return direction === undefined ? 'config' : 'tuning'
    case 'grant':
      return 'structure'
    case 'tool':
      return 'tool'
    case 'file':
      return altitudeOfFile(change)
    default:
      return change satisfies never
  }
}

function altitudeOfFile({ path, operation, text }: FileChange): Altitude {
  if (/^configs\/meta[^/]*\.ya?ml$/.test(path) || path.startsWith('modules/kernel-v')) return 'kernel'
  if (path.startsWith('prompts/')) return 'prompt'
  // What is not known may be anything a config can say.
  if (path.startsWith('configs/')) return operation === 'modify' && text !== undefined ? 'config' : 'structure'
  return 'code'
}

/** What the system is made of; any other file is data. */
const OF_SYSTEM = /^(configs|modules|prompts|web)\//

/** Whether it changes the system itself. */
export function isOfSystem(change: Change, path = change.kind === 'file' ? change.path : undefined): boolean {
  if (change.kind === 'tool') return false
  return path === undefined || change.kind !== 'file' || OF_SYSTEM.test(path)
}

export const highest = (altitudes: readonly Altitude[]): Altitude =>
  ORDER[Math.max(0, ...altitudes.map((one) => ORDER.indexOf(one)))] as Altitude

/** GRACE's matrix: what an impact asks for, in production and elsewhere. */
export function byImpact(impact: Impact, production: boolean): Omit<PolicyReason, 'by'> & { notice: boolean } {
  const reviewed = impact === 'HIGH' || impact === 'CRITICAL' || (impact === 'MODERATE' && production)
  return {
    tier: reviewed ? 'HUMAN_REVIEW' : 'AUTO_APPROVE',
    rule: `impact_${impact.toLowerCase()}`,
    message: `impact ${impact}${production ? ' in production' : ''}`,
    notice: !reviewed && impact !== 'MINIMAL',
  }
}

export function byAutonomy(autonomy: Autonomy, altitude: Altitude): Omit<PolicyReason, 'by'> {
  const tier: Tier =
    autonomy === 'locked' ? 'NEVER' : WIDENED[autonomy].includes(altitude) ? 'AUTO_APPROVE' : 'HUMAN_REVIEW'
  return { tier, rule: `autonomy_${autonomy}`, message: `autonomy is ${autonomy}; this is ${altitude}` }
}
