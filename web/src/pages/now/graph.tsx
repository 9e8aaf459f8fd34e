/**
 * The services as a graph: who calls whom, with calls a second, generation and times of each. Nodes are links to their
 * service; a folder opens. Only so many nodes are drawn as can be read, whatever the size of the system.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { services } from '../../live/index.ts'
import { rateText, type Pulse } from '../../live/rates.ts'
import { Button } from '../../parts/button.tsx'
import { route, setQuery } from '../../route.ts'
import { choose, type Shown, type ShownLink } from './choose.ts'
import { FolderNode, ServiceNode } from './node.tsx'
import { columnsOf, layOut, linkPath, type Layout, type Size } from './layout.ts'

const NODE_HEIGHT = 60
const NODES_MAX = 40
const NODES_MAX_NARROW = 16

const sizeOf = (width: number): Size => ({
  width,
  node_height: NODE_HEIGHT,
  node_width_min: 148,
  node_width_max: 208,
  gap_x: 16,
  gap_y: 32,
})

export function Graph({ pulse }: { pulse: Pulse | undefined }) {
  const [box, width] = useWidth()
  const [near, setNear] = useState<string | undefined>(undefined)
  const all = services.value ?? []
  const open = (route.value.query['open'] ?? '').split(',').filter((folder) => folder !== '')
  const isNarrow = width !== undefined && columnsOf(sizeOf(width)) < 4
  const shown = choose(all, pulse, { nodes_max: isNarrow ? NODES_MAX_NARROW : NODES_MAX, open })
  const toggle = (folder: string): void =>
    setOpen(open.includes(folder) ? open.filter((one) => one !== folder) : [...open, folder])
  return (
    <div class="stack">
      {open.length > 0 && (
        <div class="row">
          {open.map((folder) => (
            <Button key={folder} kind="quiet" onClick={() => toggle(folder)}>
              Close {folder}/
            </Button>
          ))}
        </div>
      )}
      <div ref={box} class="now-graph-box" onMouseLeave={() => setNear(undefined)}>
        {width !== undefined && (
          <Drawn shown={shown} pulse={pulse} width={width} near={near} setNear={setNear} openFolder={toggle} />
        )}
      </div>
      {shown.left_out > 0 && (
        <p class="dim">
          The busiest are shown; {shown.left_out} more stand in the <a href="#/services">list of services</a>.
        </p>
      )}
    </div>
  )
}

const setOpen = (folders: readonly string[]): void =>
  setQuery({ open: folders.length === 0 ? undefined : folders.join(',') })

interface DrawnProps {
  shown: Shown
  pulse: Pulse | undefined
  width: number
  near: string | undefined
  setNear: (id: string | undefined) => void
  openFolder: (folder: string) => void
}

function Drawn({ shown, pulse, width, near, setNear, openFolder }: DrawnProps) {
  const ids = shown.nodes.map(({ id }) => id)
  const topology = `${width} ${ids.join(' ')} ${shown.links.map(({ from, to }) => `${from}>${to}`).join(' ')}`
  const placed = useMemo(() => layOut(ids, shown.links, sizeOf(width)), [topology])
  const around = near === undefined ? undefined : neighborsOf(near, shown.links)
  return (
    <div class="now-graph" style={{ height: `${placed.height}px` }}>
      <svg class="now-links" width={placed.width} height={placed.height} aria-hidden="true">
        {shown.links.map((link) => (
          <LinkLine key={`${link.from} ${link.to}`} link={link} placed={placed} near={near} />
        ))}
      </svg>
      <ul aria-label="Services and what they call">
        {shown.nodes.map((node) => {
          const { x, y } = placed.places.get(node.id) ?? { x: 0, y: 0 }
          const isFar = around !== undefined && !around.has(node.id)
          return (
            <li
              key={node.id}
              class={isFar ? 'now-place is-far' : 'now-place'}
              style={{
                transform: `translate(${x}px, ${y}px)`,
                width: `${placed.node_width}px`,
                height: `${NODE_HEIGHT}px`,
              }}
              onMouseEnter={() => setNear(node.id)}
              onFocusCapture={() => setNear(node.id)}
              onBlurCapture={() => setNear(undefined)}
            >
              {node.kind === 'service' ? (
                <ServiceNode service={node.service} trend={pulse?.services.get(node.service.api)} links={shown.links} />
              ) : (
                <FolderNode folder={node.folder} services={node.services} pulse={pulse} open={openFolder} />
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

function neighborsOf(id: string, links: readonly ShownLink[]): Set<string> {
  const near = links.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))
  return new Set([id, ...near])
}

function LinkLine({ link, placed, near }: { link: ShownLink; placed: Layout; near: string | undefined }) {
  const from = placed.places.get(link.from)
  const to = placed.places.get(link.to)
  if (from === undefined || to === undefined) return null
  const rate = link.calls_per_s ?? 0
  const isNear = near === link.from || near === link.to
  const kinds = [
    'now-link',
    link.kind === 'needs' ? 'is-needs' : '',
    rate > 0 || link.in_flight > 0 ? 'is-busy' : '',
    isNear ? 'is-near' : near === undefined ? '' : 'is-far',
  ]
  return (
    <path
      class={kinds.filter((kind) => kind !== '').join(' ')}
      d={linkPath(from, to, placed, NODE_HEIGHT)}
      stroke-width={1 + Math.min(3, Math.log10(1 + rate))}
      data-link={`${link.from} → ${link.to}`}
      data-rate={rateText(link.calls_per_s)}
    />
  )
}

/** Undefined until it is drawn once. */
function useWidth(): [{ current: HTMLDivElement | null }, number | undefined] {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState<number | undefined>(undefined)
  useEffect(() => {
    if (box.current === null) return undefined
    const size = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    size.observe(box.current)
    return () => size.disconnect()
  }, [])
  return [box, width]
}
