/**
 * What a model may ask of the loop and tell it: its status, its log, its numbers by domain, signals, cycles, proposals. The
 * numbers are those that were measured: nothing is measured for an answer. What it submits goes the way of all proposals,
 * and deciding is a person's: `approve` says how. Given out by the facade as its aspect `tool`.
 */
import { z } from 'zod'
import type { Approval, ApprovalsApi } from '../../contracts/approvals.ts'
import type { Cycle, MetaLoopApi } from '../../contracts/meta-loop.ts'
import type { MetricDescriptor, MetricDomain, MetricSnapshot } from '../../contracts/meta-metrics.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import type { Tool } from '../../contracts/tool.ts'
import { coded } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { PRIORITIES } from './inbox.ts'
import { handlesOf } from './means.ts'
import { proposalTools } from './proposal-tools.ts'

const SNAPSHOTS_MAX = 500
const POINTS_MAX = 100
/** a whole cycle */
const CYCLE_MS = 600_000

/** The tool, the domain it tells of, and what that is. */
const DOMAINS: readonly [name: string, domain: MetricDomain, what: string][] = [
  ['get_performance', 'performance', 'how well calls and tasks go'],
  ['get_budget', 'budget', 'tokens and money that were spent'],
  ['get_coordination', 'coordination', 'work that is done together, twice, or waited for'],
  ['get_scaling_history', 'scaling', 'load, and what it was met with'],
  ['get_error_patterns', 'errors', 'failures and what they have in common'],
  ['get_evolution_outcomes', 'evolution', 'what became of changes'],
  ['get_telemetry', 'telemetry', 'what was counted and recorded'],
]

const moment = z.iso.datetime({ offset: true })
const span = z.object({
  since: moment.describe('ISO 8601, as 2026-11-22T08:00:00Z'),
  until: moment.optional().describe('ISO 8601; now without it'),
})

type Loop = Pick<MetaLoopApi, 'status' | 'trigger' | 'signal' | 'cycles'>

export function loopTools(loop: Loop, kernel: KernelApi): Record<string, object> {
  const domains = DOMAINS.map(([name, domain, what]) => [name, domainTool(kernel, domain, what)])
  return {
    ...ownTools(loop),
    ...approvalTools(kernel),
    ...(Object.fromEntries(domains) as Record<string, object>),
    get_org_snapshot: snapshotTool(kernel),
    ...proposalTools(kernel),
  }
}

function ownTools(loop: Loop): Record<string, object> {
  return {
    status: tool({
      description: 'Read how the meta-loop stands: its last cycle, its cadence, scores of the goals, what waits.',
      params: z.object({}),
      read_only: true,
      run: () => loop.status(),
    }),
    trigger: tool({
      description: 'Run a cycle of the meta-loop now. Returns what became of it; the cadence may refuse it.',
      params: z.object({ trigger_reason: z.string().trim().max(200).optional().describe('why, for its inbox') }),
      deadline_ms: CYCLE_MS,
      run: async ({ trigger_reason }, { caller }) => {
        if (trigger_reason !== undefined && trigger_reason !== '')
          await loop.signal({ source: caller, priority: 'low', payload: { trigger_reason } })
        return shortOf(await loop.trigger({ trigger: 'manual' }))
      },
    }),
    signal: tool({
      description: 'Tell the meta-loop something its next cycle should know.',
      params: z.object({
        source: z.string().describe('who tells it'),
        priority: z.enum(PRIORITIES).default('normal'),
        payload: z.string().default('{}').describe('a JSON object; other text is kept as {raw}'),
      }),
      run: ({ source, priority, payload }) => loop.signal({ source, priority, payload: payloadOf(payload) }),
    }),
    evolution_log: tool({
      description: 'Read the newest cycles of the meta-loop and what became of each.',
      params: z.object({ limit: z.number().int().min(1).max(SNAPSHOTS_MAX).default(20) }),
      read_only: true,
      run: async ({ limit }) => ({ entries: (await loop.cycles({ limit })).cycles.map(shortOf) }),
    }),
  }
}

function approvalTools(kernel: KernelApi): Record<string, object> {
  const approvals = kernel.getApi<ApprovalsApi>('approvals')
  return {
    pending_approvals: tool({
      description: 'List the changes that wait for a person to decide.',
      params: z.object({}),
      read_only: true,
      run: async () => {
        const pending = await approvals.list({ state: 'pending' })
        const waiting = pending.map(({ id, title, actor, reason, asked_at }) => ({
          id,
          title,
          actor,
          reason,
          asked_at,
        }))
        return { pending: waiting, count: waiting.length }
      },
    }),
    approve: tool({
      description:
        'Allows nothing: no tool does, whoever calls it. Learn how a person allows a change that waits (`mm approve ID`), and tell him; or who has decided on it.',
      params: z.strictObject({ change_id: z.string().min(1).describe('id of an approval') }),
      read_only: true,
      run: async ({ change_id }) => {
        const approval = await approvals.show(change_id)
        const { state, decided_by } = approval
        if (state !== 'pending')
          throw coded('approval_decided', { approval: change_id, outcome: state, by: decided_by ?? 'somebody' })
        throw coded('operator_only', { what: wayToAllow(approval) })
      },
    }),
  }
}

/** Ends “Only an operator may …”. */
function wayToAllow({ id, confirm_twice, confirmed_by }: Approval): string {
  const command = `\`mm approve ${id}\``
  const second = `\`mm approve ${id} --reason "…"\``
  const done = confirm_twice !== true ? command : confirmed_by === null ? `${command}, then ${second}` : second
  return `allow this change, on the command line: ${done}; \`mm deny ${id} --reason "…"\` says no`
}

const snapshotTool = (kernel: KernelApi): Tool<typeof span> =>
  tool({
    description: 'Read the newest snapshot of all metrics between two moments; null when none was taken.',
    params: span,
    read_only: true,
    run: async (asked) => ({ snapshot: (await snapshotsIn(kernel, asked, 1))[0] ?? null }),
  })

const domainTool = (kernel: KernelApi, domain: MetricDomain, what: string): Tool<typeof span> =>
  tool({
    description: `Read the metrics of the domain ${domain} as they were measured: ${what}.`,
    params: span,
    read_only: true,
    run: async (asked) => {
      const { metrics } = handlesOf(kernel)
      const snapshots = await snapshotsIn(kernel, asked, SNAPSHOTS_MAX)
      const known = (await metrics.catalogue()).filter((one) => one.domain === domain)
      return { domain, ...asked, snapshots: snapshots.length, metrics: known.map((one) => shown(one, snapshots)) }
    },
  })

/** Newest first. */
async function snapshotsIn(
  kernel: KernelApi,
  { since, until }: z.output<typeof span>,
  limit: number,
): Promise<MetricSnapshot[]> {
  const within = { since: Date.parse(since), ...(until === undefined ? {} : { until: Date.parse(until) }), limit }
  return (await handlesOf(kernel).metrics.list(within)).snapshots
}

/** Its newest value, and how it came there: points oldest first. */
function shown({ path, unit, direction, target }: MetricDescriptor, snapshots: readonly MetricSnapshot[]): JsonMap {
  const values = snapshots.flatMap(({ at, values: all }) => {
    const found = all[path]
    return found === undefined ? [] : [{ at, ...found }]
  })
  const [newest] = values
  const points = values.slice(0, POINTS_MAX).reverse()
  return {
    path,
    unit,
    direction,
    target,
    value: newest?.value ?? null,
    samples: newest?.samples ?? 0,
    points: points.map(({ at, value }) => ({ at, value })),
  }
}

function payloadOf(text: string): JsonMap {
  try {
    const read: unknown = JSON.parse(text)
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as JsonMap
  } catch {
    // It is kept as it is.
  }
  return { raw: text }
}

const shortOf = ({ number, trigger, status, reason, started_at, ended_at, summary, ...more }: Cycle): JsonMap => ({
  number,
  trigger,
  status,
  reason,
  started_at,
  ended_at,
  identity: more.identity,
  proposals: more.proposals,
  applied: more.applied,
  pending: more.pending,
  summary,
})
