/**
 * What the graph shows: every service where there is room, else folders of `configs/` as one node each, and of what is
 * still too many the busiest. Links of services become links of what stands for them. Pure.
 */
import type { ServiceStatus } from '../../../../modules/contracts/kernel.ts'
import { linkKey, type Pulse, type Traffic } from '../../live/rates.ts'
import { grouped } from './grouped.ts'

export type ShownNode =
  | { kind: 'service'; id: string; service: ServiceStatus }
  | { kind: 'folder'; id: string; folder: string; services: readonly ServiceStatus[] }

export interface ShownLink {
  from: string
  to: string
  /** `needs`: it is only named in a config or by a module; nothing was called yet */
  kind: 'calls' | 'needs'
  calls_per_s: number | null
  in_flight: number
}

export interface Shown {
  nodes: readonly ShownNode[]
  links: readonly ShownLink[]
  /** services that are in no node */
  left_out: number
}

export interface Choice {
  nodes_max: number
  /** folders whose services are shown one by one */
  open: readonly string[]
}

/** `control` of `configs/control/ledger.yml`; empty for those that stand at the top. */
export const folderOf = ({ config_file }: Pick<ServiceStatus, 'config_file'>): string =>
  config_file.replace(/^configs\//, '').replace(/\/?[^/]*$/, '')

export function choose(services: readonly ServiceStatus[], pulse: Pulse | undefined, choice: Choice): Shown {
  const all = services.length <= choice.nodes_max ? services.map(nodeOf) : folded(services, choice.open)
  const nodes = all.length <= choice.nodes_max ? all : busiest(all, choice.nodes_max)
  const nodeIds = new Map<string, string>()
  for (const node of nodes) for (const { api } of servicesOf(node)) nodeIds.set(api, node.id)
  return { nodes, links: linksOf(services, pulse, nodeIds), left_out: services.length - nodeIds.size }
}

export const servicesOf = (node: ShownNode): readonly ServiceStatus[] =>
  node.kind === 'service' ? [node.service] : node.services

const nodeOf = (service: ServiceStatus): ShownNode => ({ kind: 'service', id: service.api, service })

function folded(services: readonly ServiceStatus[], open: readonly string[]): ShownNode[] {
  const folders = grouped(services, folderOf)
  return [...folders].flatMap(([folder, inside]): ShownNode[] =>
    folder === '' || inside.length === 1 || open.includes(folder)
      ? inside.map(nodeOf)
      : [{ kind: 'folder', id: `${folder}/`, folder, services: inside }],
  )
}

/** By all calls so far, not by those of the moment: what is shown must not change with every reading. */
function busiest(nodes: readonly ShownNode[], count: number): ShownNode[] {
  const calls = (node: ShownNode): number => servicesOf(node).reduce((sum, one) => sum + one.calls, 0)
  const ranked = nodes.map((node) => ({ node, calls: calls(node) })).toSorted((a, b) => b.calls - a.calls)
  return ranked.slice(0, count).map(({ node }) => node)
}

function linksOf(
  services: readonly ServiceStatus[],
  pulse: Pulse | undefined,
  nodeIds: ReadonlyMap<string, string>,
): ShownLink[] {
  const links = new Map<string, ShownLink>()
  const take = (caller: string, callee: string, told: Omit<ShownLink, 'from' | 'to'>): void => {
    const from = nodeIds.get(caller)
    const to = nodeIds.get(callee)
    if (from === undefined || to === undefined || from === to) return
    const key = `${from} → ${to}`
    const known = links.get(key)
    links.set(key, known === undefined ? { from, to, ...told } : joined(known, told))
  }
  for (const link of pulse?.reading.links ?? []) take(link.caller, link.callee, calledOf(link, pulse))
  for (const { api, needs } of services)
    for (const one of needs) take(api, one, { kind: 'needs', calls_per_s: null, in_flight: 0 })
  return [...links.values()]
}

const calledOf = (link: Traffic['links'][number], pulse: Pulse | undefined): Omit<ShownLink, 'from' | 'to'> => ({
  kind: 'calls',
  calls_per_s: pulse?.links.get(linkKey(link)) ?? null,
  in_flight: link.in_flight,
})

function joined(known: ShownLink, told: Omit<ShownLink, 'from' | 'to'>): ShownLink {
  const { calls_per_s: a } = known
  const { calls_per_s: b } = told
  return {
    ...known,
    kind: known.kind === 'calls' || told.kind === 'calls' ? 'calls' : 'needs',
    calls_per_s: a === null ? b : a + (b ?? 0),
    in_flight: known.in_flight + told.in_flight,
  }
}
