/** Lets the service `self-improver` find another text for a module. What it finds goes through its own gate, to a person. */
import type { Finding } from '../../contracts/meta-loop.ts'
import type { SelfImproverApi } from '../../contracts/proposals.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { reasonOf } from '../../lib/errors.ts'
import { codeWish } from './code-wish.ts'
import type { Means } from './means.ts'
import { perceived, type CycleIdentity, type Staged } from './staged.ts'

const HOUR_MS = 3_600_000
/** An improvement has a name of its own beside the proposal of a value for the same finding. */
const nameOf = (fingerprint: string): string => `code ${fingerprint}`
/** What goes wrong in a service is seen by many findings; a model is asked once. */
const keyOf = (service: string): string => `code of ${service}`

/** Resolves with what a person should know of it, when a model is being asked: how that ends is told by its improvement. */
export async function askForCode(means: Means, staged: Readonly<Staged>, cycle: CycleIdentity): Promise<string[]> {
  const { config, store, kernel, system } = means
  if (!config.altitudes.includes('code') || staged.critic === null) return []
  if (staged.identity !== 'approved' && staged.identity !== 'no_changes') return []
  const now = kernel.clock.now()
  const [since, calm] = [now - config.repeat_after_hours * HOUR_MS, now - config.cooldown_hours * HOUR_MS]
  const passes = ({ fingerprint }: Finding, service: string): boolean =>
    (store.lastProposed(nameOf(fingerprint))?.at ?? 0) < since && store.lastAt(keyOf(service)) <= calm
  const wish = codeWish(staged.critic, perceived(staged).snapshot, passes)
  if (wish === undefined || (await system.status()).frozen !== 'none') return []
  const { finding, service, goal, expected } = wish
  try {
    const improver = kernel.getApi<SelfImproverApi>('self-improver')
    const { id } = await improver.start({ service, goal, expected, actor: kernel.api })
    const [fingerprint, key] = [nameOf(finding.fingerprint), keyOf(service)]
    store.propose({ fingerprint, proposal: id, key, cycle: cycle.number, rule: finding.rule, at: now }, true)
    await told(means, { improvement: id, rule: finding.rule, service, goal }, cycle)
    return [`${id}: another text of ${service} is looked for, for ${finding.rule}`]
  } catch (thrown) {
    return [`no other text of ${service} is looked for: ${reasonOf(thrown)}`]
  }
}

/** What comes of it is the loop's too, and its health is read from the ledger. It is asked for already. */
async function told(
  { ledger, kernel }: Means,
  payload: { service: string } & JsonMap,
  cycle: CycleIdentity,
): Promise<void> {
  const { api, log } = kernel
  const resource = `service:${payload.service}`
  const entry = { actor: api, origin: 'self' as const, action: 'improvement_asked', resource, outcome: 'ok' }
  try {
    await ledger.append({ ...entry, cycle: cycle.name, payload })
  } catch (thrown) {
    log.error(`the ledger does not know who asked for ${String(payload['improvement'])}: ${reasonOf(thrown)}`)
  }
}
