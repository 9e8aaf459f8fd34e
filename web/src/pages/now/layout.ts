/**
 * Where the nodes of the graph stand: who calls above whom it calls, in rows as wide as there is room, so that a phone
 * needs no scrolling to the side. The same names and links always give the same picture. Pure.
 */
import { grouped } from './grouped.ts'

export interface Size {
  /** of all there is */
  width: number
  node_height: number
  /** a node is at least so wide, and wider where there is room */
  node_width_min: number
  node_width_max: number
  gap_x: number
  gap_y: number
}

export interface Place {
  x: number
  y: number
}

export interface Layout {
  node_width: number
  width: number
  height: number
  places: ReadonlyMap<string, Place>
}

interface Link {
  from: string
  to: string
}

const COLUMNS_MIN = 2
/** Times the rows are ordered by where their neighbors stand. */
const SWEEPS = 4

export const columnsOf = ({ width, node_width_min, gap_x }: Size): number =>
  Math.max(COLUMNS_MIN, Math.floor((width + gap_x) / (node_width_min + gap_x)))

export function layOut(ids: readonly string[], links: readonly Link[], size: Size): Layout {
  const columns = columnsOf(size)
  const { width, gap_x, gap_y, node_height, node_width_max } = size
  const node_width = Math.min(node_width_max, Math.floor((width - gap_x * (columns - 1)) / columns))
  const rows = rowsOf(ids, links, columns)
  const places = new Map<string, Place>()
  for (const [at, row] of rows.entries()) {
    const left = (width - row.length * node_width - (row.length - 1) * gap_x) / 2
    for (const [place, id] of row.entries())
      places.set(id, { x: Math.round(left + place * (node_width + gap_x)), y: at * (node_height + gap_y) })
  }
  return { node_width, width, height: Math.max(0, rows.length * (node_height + gap_y) - gap_y), places }
}

/** Layers cut into rows; those without a link come last. */
function rowsOf(ids: readonly string[], links: readonly Link[], columns: number): string[][] {
  const known = new Set(ids)
  const inside = links.filter(({ from, to }) => from !== to && known.has(from) && known.has(to))
  const linked = new Set(inside.flatMap(({ from, to }) => [from, to]))
  const sorted = ids.toSorted()
  const layers = layersOf(
    sorted.filter((id) => linked.has(id)),
    inside,
  )
  const alone = sorted.filter((id) => !linked.has(id))
  return [...ordered(layers, inside).flatMap((layer) => cut(layer, columns)), ...inRowsOf(columns, alone)]
}

/** In rows of about equal length, none longer than `columns`. */
function cut(layer: readonly string[], columns: number): string[][] {
  const count = Math.ceil(layer.length / columns)
  return inRowsOf(Math.ceil(layer.length / Math.max(1, count)), layer)
}

const inRowsOf = (length: number, ids: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(ids.length / Math.max(1, length)) }, (_, at) =>
    ids.slice(at * length, (at + 1) * length),
  )

/** Each stands below everyone who calls it, as far as that can be: links that close a circle do not count. */
function layersOf(ids: readonly string[], links: readonly Link[]): string[][] {
  const callees = grouped(links, ({ from }) => from)
  const state = new Map<string, 'open' | 'done'>()
  const order: string[] = []
  const closing = new Set<Link>()
  const visit = (id: string): void => {
    state.set(id, 'open')
    for (const link of callees.get(id) ?? []) {
      const seen = state.get(link.to)
      if (seen === 'open') closing.add(link)
      else if (seen === undefined) visit(link.to)
    }
    state.set(id, 'done')
    order.push(id)
  }
  for (const id of startsFirst(ids, links)) if (!state.has(id)) visit(id)
  const depth = new Map<string, number>()
  for (const id of order.toReversed()) {
    const own = depth.get(id) ?? 0
    depth.set(id, own)
    for (const link of callees.get(id) ?? [])
      if (!closing.has(link)) depth.set(link.to, Math.max(depth.get(link.to) ?? 0, own + 1))
  }
  const layers: string[][] = []
  for (const id of ids) (layers[depth.get(id) ?? 0] ??= []).push(id)
  return Array.from(layers, (layer) => layer ?? [])
}

/** Whom nobody calls comes first, so that circles are cut where one enters them. */
function startsFirst(ids: readonly string[], links: readonly Link[]): string[] {
  const called = new Set(links.map(({ to }) => to))
  return [...ids.filter((id) => !called.has(id)), ...ids.filter((id) => called.has(id))]
}

/** Each near its neighbors, so that fewer links cross. */
function ordered(layers: readonly string[][], links: readonly Link[]): string[][] {
  const neighbors = new Map<string, string[]>()
  for (const { from, to } of links) {
    neighbors.set(from, [...(neighbors.get(from) ?? []), to])
    neighbors.set(to, [...(neighbors.get(to) ?? []), from])
  }
  let now = layers.map((layer) => [...layer])
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const spot = new Map(now.flatMap((layer) => layer.map((id, at) => [id, (at + 0.5) / layer.length] as const)))
    const middle = (id: string): number => {
      const near = neighbors.get(id) ?? []
      return near.length === 0 ? 0.5 : near.reduce((sum, one) => sum + (spot.get(one) ?? 0.5), 0) / near.length
    }
    now = now.map((layer) => {
      const middles = new Map(layer.map((id) => [id, middle(id)]))
      return layer.toSorted((a, b) => (middles.get(a) ?? 0) - (middles.get(b) ?? 0) || (a < b ? -1 : 1))
    })
  }
  return now
}

/** The line of a link: from below the one to above the other, or around the side where that stands higher. */
export function linkPath(
  from: Place,
  to: Place,
  { node_width }: Pick<Layout, 'node_width'>,
  node_height: number,
): string {
  const half = node_width / 2
  if (to.y > from.y) {
    const [x1, y1, x2, y2] = [from.x + half, from.y + node_height, to.x + half, to.y]
    const bend = Math.max(16, (y2 - y1) / 2)
    return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`
  }
  const side = to.x >= from.x ? 1 : -1
  const [x1, y1] = [from.x + half + side * half, from.y + node_height / 2]
  const [x2, y2] = to.y === from.y ? [to.x + half - side * half, y1] : [to.x + half, to.y + node_height]
  const bend = to.y === from.y ? 0 : Math.max(16, (y1 - y2) / 2)
  return `M${x1} ${y1}C${x1 + side * 16} ${y1} ${x2} ${y2 + bend} ${x2} ${y2}`
}
