/**
 * Changes of which services there are, as texts of configs: two of one module behind a balancer, or one switched off.
 * Made from the configs as they are now; and why a service is not one for it. Pure.
 */
import { basename, dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { EffectiveConfig, PlannedChange, ServiceDetail, ServiceStatus } from '../../contracts/kernel.ts'
import type { ServiceHealth } from '../../contracts/meta-metrics.ts'
import type { Json } from '../../contracts/seams.ts'
import { editYaml } from '../../lib/edit-yaml.ts'

export const BALANCER = 'services/balancer'
/** What another service would answer as late: who is waited for is not here. */
const OF_MODELS = /^inference\//

const CONTROL = 'control/'

/** A service as it stands. */
export interface Standing {
  detail: ServiceDetail
  role: ServiceHealth['role']
  /** what the kernel says of loading it anew */
  plan: Pick<PlannedChange, 'mode' | 'state'> | undefined
  others: readonly ServiceStatus[]
  configs: readonly EffectiveConfig[]
}

/** What rules out both. */
function whyNotMoved({ detail: { prog, state, owned }, role }: Standing): string | undefined {
  if (role === 'system' || prog.startsWith(CONTROL)) return 'it watches others, or judges them'
  if (state !== 'live') return `it is ${state}`
  const [own] = owned
  return own && `it does more than answer calls: ${own.label}`
}

export function whyNotDoubled(standing: Standing): string | undefined {
  const { detail, plan, others } = standing
  const { api, prog, tools, aspects } = detail
  const isOneOfSeveral = others.some((other) => other.prog === BALANCER && other.needs.includes(api))
  if (prog === BALANCER || isOneOfSeveral) return 'its calls are spread already'
  if (OF_MODELS.test(prog)) return 'it waits for a model, which would not answer sooner'
  if (tools.length > 0) return 'it has tools, and models would see them of each'
  const aspect = aspects.find((one) => one !== 'default' && one !== 'tool')
  if (aspect !== undefined) return `it is called by its aspect ${aspect} too`
  if (plan?.state === 'carried') return 'it keeps state, which a second one would not have'
  if (plan?.mode === 'exclusive') return 'two of it cannot stand side by side'
  const taken = namesFor(api).find((name) => others.some((other) => other.api === name))
  return taken === undefined ? whyNotMoved(standing) : `there is a ${taken} already`
}

export function whyNotRetired(standing: Standing): string | undefined {
  const { detail, others, configs } = standing
  const { api } = detail
  const needing = others.find((other) => other.needs.includes(api))
  if (needing !== undefined) return `${needing.api} needs it`
  // What watches may name it in its rules: that is no use of it.
  const users = configs.filter((one) => one.api !== api && !one.prog.startsWith(CONTROL))
  const naming = users.find((one) => one.values.some(({ value }) => names(value, api)))
  if (naming !== undefined) return `the config of ${naming.api} names it`
  return whyNotMoved(standing)
}

const names = (value: Json, api: string): boolean =>
  value === api || (typeof value === 'object' && value !== null && Object.values(value).some((one) => names(one, api)))

const namesFor = (api: string): string[] => [`${api}_1`, `${api}_2`]

/** A file as it would be; null: it is not there yet. */
export interface Draft {
  path: string
  before: string | null
  text: string
}

/** Throws `config_syntax` or `config_edit_failed`. */
export function doubled(
  { api, prog, description, domain }: ServiceDetail,
  { file, text }: { file: string; text: string },
): Draft[] {
  const services = namesFor(api)
  const said = { ...(description === null ? {} : { description }), ...(domain === null ? {} : { domain }) }
  const front =
    `# Each call of ${api} goes to the one of these that has fewer under way; both run ${prog}.\n` +
    stringify({ api, prog: BALANCER, ...said, needs: services, services }, { aliasDuplicateObjects: false })
  const workers = services.map((name) => ({
    path: join(dirname(file), `${basename(name)}.yml`),
    before: null,
    text: editYaml(file, text, { set: { api: name, prog }, remove: [] }),
  }))
  return [{ path: file, before: text, text: front }, ...workers]
}

/** Throws `config_syntax` or `config_edit_failed`. */
export const retired = (file: string, text: string): Draft => ({
  path: file,
  before: text,
  text: editYaml(file, text, { set: { enabled: false }, remove: [] }),
})
