/** Powers of a sandboxed service in one list: what it was refused first, then what it holds for nothing, then the rest. Pure. */
import type { SandboxReport } from '../../../../modules/contracts/sandbox.ts'

export interface Power {
  power: string
  /** `granted`: a pattern that covers what was used; `unused`: one that covers nothing of it */
  verdict: 'refused' | 'unused' | 'used' | 'granted'
  /** null: it is not counted */
  count: number | null
  last_at: number | null
}

export function powersOf({ granted, used, refused }: Pick<SandboxReport, 'granted' | 'used' | 'refused'>): Power[] {
  const uses = new Map(used.map((one) => [one.power, one]))
  const isUsed = (grant: string): boolean => used.some(({ power }) => coversPower(grant, power))
  const grants = granted.filter((grant) => !uses.has(grant))
  return [
    ...refused.map((one): Power => ({ ...one, verdict: 'refused' })),
    ...grants.filter((grant) => !isUsed(grant)).map((power): Power => ({ power, verdict: 'unused', ...NEVER })),
    ...used.map((one): Power => ({ ...one, verdict: 'used' })),
    ...grants.filter(isUsed).map((power): Power => ({ power, verdict: 'granted', ...NEVER })),
  ]
}

const NEVER = { count: null, last_at: null }

/** `service@aspect.method`, and behind it the pattern of an argument: uses are counted without that. */
const NAMED = /^(.+?)(?:@([\w-]+|\*))?\.([\w$]+|\*)(?::.+)?$/s

export function coversPower(grant: string, power: string): boolean {
  const [, service, aspect = 'default', method] = NAMED.exec(grant) ?? []
  const [, asked, askedAspect = 'default', askedMethod] = NAMED.exec(power) ?? []
  return (
    service !== undefined &&
    service === asked &&
    (aspect === '*' || aspect === askedAspect) &&
    (method === '*' || method === askedMethod)
  )
}
