/**
 * Proposes which services there should be, for rules that wish for another structure: two of one module where one is
 * overloaded, or none where nobody calls. Made from services and configs as they are now. It waits for a person at every
 * level; while it waits, the same finding is counted on it, and it is taken back as every change: by its bytes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StructureWish } from '../../contracts/meta-loop.ts'
import type { ServiceHealth } from '../../contracts/meta-metrics.ts'
import type { ProposalInput } from '../../contracts/proposals.ts'
import { shortHash } from '../../lib/hash.ts'
import { nearText } from '../../lib/near.ts'
import { isRefused } from './history.ts'
import type { Means } from './means.ts'
import { proposeFor, type Strategy, type Wishing } from './speak.ts'
import { perceived, type CycleIdentity, type Staged } from './staged.ts'
import { doubled, retired, whyNotDoubled, whyNotRetired, type Draft, type Standing } from './structures.ts'
import { noteUncalled, type Uncalled } from './uncalled.ts'

const HOUR_MS = 3_600_000
const IDLE_HOURS = 24

type Finding = Wishing<'structure'>
type Change = Pick<ProposalInput, 'service' | 'title' | 'intent' | 'expected'> & { drafts: Draft[] }

export const STRUCTURES: Strategy<'structure'> = {
  altitude: 'structure',
  wish: 'structure',
  failed: 'the structure stays as it is',
  async propose(means, finding, cycle, staged) {
    const world = await worldOf(means, staged)
    const { operation, service } = finding.structure
    if (service !== undefined && !world.names.includes(service))
      return [`there is no ${service} to ${operation} for ${finding.rule}${nearText(service, world.names)}`]
    const wanted = service === undefined ? choose(finding.structure, world) : [service]
    for (const api of wanted) {
      const reason = await proposeOne(means, { finding, cycle, world, api })
      if (reason === undefined) return []
      if (service !== undefined) return [`${operation} ${api} for ${finding.rule}: ${reason}`]
    }
    return [`there is no service to ${operation} for ${finding.rule}`]
  },
}

interface World extends Pick<Standing, 'others' | 'configs'> {
  /** without the kernel */
  names: string[]
  health: ReadonlyMap<string, ServiceHealth>
  uncalled: Uncalled
  now: number
}

async function worldOf(means: Means, staged: Readonly<Staged>): Promise<World> {
  const { system, kernel } = means
  const others = await system.services()
  const health = perceived(staged).snapshot.domains.flatMap(({ services }) => services)
  return {
    others,
    configs: await system.configs(),
    names: others.map(({ api }) => api).filter((api) => api !== 'kernel'),
    health: new Map(health.map((one) => [one.api, one])),
    uncalled: await noteUncalled(means),
    now: kernel.clock.now(),
  }
}

/** Those it could be, the one that needs it most first. */
function choose(wish: StructureWish, world: World): string[] {
  const { others, names, health, uncalled } = world
  if (wish.operation === 'retire')
    return names
      .filter((api) => whyNotIdle(wish, world, api) === undefined)
      .sort((a, b) => (uncalled[a]?.since ?? 0) - (uncalled[b]?.since ?? 0))
  const slowness = (api: string): number => health.get(api)?.p95_s ?? 0
  const crowded = new Set(others.filter(({ in_flight }) => in_flight > 1).map(({ api }) => api))
  return names.filter((api) => crowded.has(api) && slowness(api) > 0).sort((a, b) => slowness(b) - slowness(a))
}

interface Wanted {
  finding: Finding
  cycle: CycleIdentity
  world: World
  api: string
}

/** Resolves with why it is not proposed. */
async function proposeOne(means: Means, { finding, cycle, world, api }: Wanted): Promise<string | undefined> {
  const fingerprint = `structure ${finding.fingerprint} ${api}`
  if (await isRefused(means, fingerprint)) return 'somebody, or the traffic, has said no to it'
  const change = await changeOf(means, finding, world, api)
  if (typeof change === 'string') return change
  const { drafts, ...said } = change
  const edits = drafts.map(({ path, before, text }) => ({
    path,
    base_hash: before === null ? null : shortHash(before),
    text,
  }))
  await proposeFor(means, finding, fingerprint, cycle, { ...said, edits })
  return undefined
}

async function changeOf(means: Means, finding: Finding, world: World, api: string): Promise<Change | string> {
  const { rule, structure, expected } = finding
  const standing = await standingOf(means, world, api)
  const { detail } = standing
  const file = detail.config_file
  const text = readFileSync(join(means.kernel.paths.root, file), 'utf8')
  const intent = `${structure.operation} ${api} for ${rule}`
  switch (structure.operation) {
    case 'double': {
      const reason = whyNotDoubled(standing)
      if (reason !== undefined) return reason
      const title = `${file}: two services of ${detail.prog} share the calls of ${api}`
      const sooner = { metric: 'latency_p50_ms', direction: 'lower' } as const
      return { service: api, title, intent, expected: expected ?? sooner, drafts: doubled(detail, { file, text }) }
    }
    case 'retire': {
      const reason = whyNotRetired(standing) ?? whyNotIdle(structure, world, api)
      if (reason !== undefined) return reason
      const service = busiest(world, api)
      if (service === undefined) return 'no other service is called, by whose calls it could be judged'
      return { service, title: `${file}: nobody calls ${api}`, intent, drafts: [retired(file, text)] }
    }
    default:
      return structure.operation satisfies never
  }
}

async function standingOf({ system }: Means, { others, configs, health }: World, api: string): Promise<Standing> {
  const detail = await system.show(api)
  const plan = (await system.plan([{ path: detail.config_file }])).find((one) => one.api === api)
  return { detail, role: health.get(api)?.role ?? 'productive', plan, others, configs }
}

function whyNotIdle(
  { idle_hours = IDLE_HOURS }: StructureWish,
  { uncalled, now }: World,
  api: string,
): string | undefined {
  const hours = (now - (uncalled[api]?.since ?? now)) / HOUR_MS
  if (hours >= idle_hours) return undefined
  return `for ${Math.floor(hours)} h nobody was seen to call it; it takes ${idle_hours}`
}

/** Whose calls tell whether somebody misses it. */
function busiest({ health }: World, without: string): string | undefined {
  const called = [...health.values()].filter(
    ({ api, role, state, calls }) => api !== without && role !== 'system' && state === 'live' && calls > 0,
  )
  return called.sort((a, b) => b.calls - a.calls)[0]?.api
}
