/** What the graph of services shows and where each stands: decided without a browser. */
import { expect, it } from 'vitest'
import type { ServiceStatus, Traffic } from '../../../modules/contracts/kernel.ts'
import { advance } from '../../../web/src/live/rates.ts'
import { attentionOf } from '../../../web/src/pages/now/attention.ts'
import { choose, folderOf, type Shown } from '../../../web/src/pages/now/choose.ts'
import { layOut, linkPath, type Size } from '../../../web/src/pages/now/layout.ts'
import { serviceLike } from './service-like.ts'

const SIZE: Size = { width: 700, node_height: 60, node_width_min: 148, node_width_max: 208, gap_x: 16, gap_y: 32 }

const link = (caller: string, callee: string, calls = 1): Traffic['links'][number] => ({
  caller,
  callee,
  calls,
  in_flight: 0,
})
const reading = (links: Traffic['links'], at = 1_000): Traffic => ({ at, services: [], links })
const pulseOf = (...links: Traffic['links']) => advance(undefined, reading(links))
const linkNames = ({ links }: Shown): string[] => links.map(({ from, to, kind }) => `${from} ${kind} ${to}`)
const many = (count: number, folder: string): ServiceStatus[] =>
  Array.from({ length: count }, (_, n) =>
    serviceLike(`${folder}${n}`, { config_file: `configs/${folder}/${n}.yml`, calls: n }),
  )

it('who calls stands above whom it calls, those without a link below all', () => {
  const { places } = layOut(
    ['db', 'alone', 'http', 'agent'],
    [
      { from: 'http', to: 'agent' },
      { from: 'agent', to: 'db' },
      { from: 'http', to: 'db' },
    ],
    SIZE,
  )
  const rows = ['http', 'agent', 'db', 'alone'].map((id) => places.get(id)?.y)
  expect(rows).toEqual([0, 92, 184, 276])
})

it('services that call each other in a circle are laid out, each once', () => {
  const { places, height } = layOut(
    ['a', 'b', 'c'],
    [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'a', to: 'a' },
    ],
    SIZE,
  )
  expect([...places.keys()].sort()).toEqual(['a', 'b', 'c'])
  expect(height).toBe(3 * 92 - 32)
})

it.each([360, 700, 1_280])('at %i px no node reaches over the edge or lies on another', (width) => {
  const size = { ...SIZE, width }
  const ids = Array.from({ length: 40 }, (_, n) => `s${n}`)
  const links = ids.slice(1).map((to, n) => ({ from: ids[Math.floor(n / 3)] ?? '', to }))
  const { places, node_width, height } = layOut(ids, links, size)
  const all = [...places.values()]
  expect(all).toHaveLength(40)
  for (const { x, y } of all) {
    expect(x).toBeGreaterThanOrEqual(0)
    expect(x + node_width).toBeLessThanOrEqual(width + 1)
    expect(y + size.node_height).toBeLessThanOrEqual(height)
  }
  // Those of a row keep their distance, so none lies on another.
  for (const a of all)
    for (const b of all)
      if (a !== b && a.y === b.y) expect(Math.abs(a.x - b.x)).toBeGreaterThanOrEqual(node_width + size.gap_x - 1)
  expect(new Set(all.map(({ x, y }) => `${x},${y}`)).size).toBe(40)
})

it('the same services and links give the same picture, in whatever order they come', () => {
  const links = [
    { from: 'a', to: 'c' },
    { from: 'b', to: 'c' },
    { from: 'b', to: 'd' },
  ]
  const one = layOut(['a', 'b', 'c', 'd'], links, SIZE)
  const other = layOut(['d', 'c', 'b', 'a'], links.toReversed(), SIZE)
  expect([...other.places].sort()).toEqual([...one.places].sort())
})

it('a line goes from below to above, and around the side to who stands higher', () => {
  const from = { x: 0, y: 0 }
  expect(linkPath(from, { x: 0, y: 92 }, { node_width: 100 }, 60)).toBe('M50 60C50 76 50 76 50 92')
  expect(linkPath({ x: 0, y: 92 }, from, { node_width: 100 }, 60)).toMatch(/^M100 122C.* 50 60$/)
})

it('1,000 services are laid out in a frame of a screen', () => {
  const services = ['a', 'b', 'c', 'd'].flatMap((folder) => many(250, folder))
  const links = services.map(({ api }, n) => link(api, services[(n * 7) % 1_000]?.api ?? ''))
  const pulse = pulseOf(...links)
  // The best of a few: what else the machine does is not the layout's.
  const times = Array.from({ length: 5 }, () => {
    const since = performance.now()
    const shown = choose(services, pulse, { nodes_max: 40, open: ['a'] })
    layOut(
      shown.nodes.map(({ id }) => id),
      shown.links,
      SIZE,
    )
    return performance.now() - since
  })
  expect(Math.min(...times)).toBeLessThan(50)
})

it('where there is room every service is a node, with whom it calls and what it only needs', () => {
  const services = [serviceLike('a', { needs: ['b', 'c'] }), serviceLike('b'), serviceLike('c')]
  const shown = choose(services, pulseOf(link('a', 'b', 3), link('anonymous', 'a')), { nodes_max: 40, open: [] })
  expect(shown.nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(linkNames(shown)).toEqual(['a calls b', 'a needs c'])
  expect(shown.left_out).toBe(0)
})

it('of too many, folders become nodes, and one that is opened shows its services', () => {
  const services = [
    ...many(30, 'left'),
    ...many(30, 'right'),
    serviceLike('alone', { config_file: 'configs/alone.yml' }),
  ]
  const pulse = pulseOf(link('left0', 'right1', 2), link('left3', 'right1', 3), link('left0', 'left1'))
  const closed = choose(services, pulse, { nodes_max: 40, open: [] })
  expect(closed.nodes.map(({ id }) => id)).toEqual(['left/', 'right/', 'alone'])
  expect(linkNames(closed)).toEqual(['left/ calls right/'])
  const open = choose(services, pulse, { nodes_max: 40, open: ['left'] })
  expect(open.nodes).toHaveLength(32)
  expect(linkNames(open)).toEqual(['left0 calls right/', 'left3 calls right/', 'left0 calls left1'])
})

it('of what is still too much the busiest are shown, and how many are left out is said', () => {
  const services = Array.from({ length: 100 }, (_, n) =>
    serviceLike(`s${n}`, { calls: n, config_file: `configs/s${n}.yml` }),
  )
  const shown = choose(services, undefined, { nodes_max: 10, open: [] })
  expect(shown.nodes.map(({ id }) => id)).toContain('s99')
  expect(shown.nodes).toHaveLength(10)
  expect(shown.left_out).toBe(90)
})

it('a folder is that of the config', () => {
  expect(folderOf({ config_file: 'configs/control/deep/ledger.yml' })).toBe('control/deep')
  expect(folderOf({ config_file: 'configs/ticker.yml' })).toBe('')
})

it('what wants a look is told with its reason and its place, the worst first', () => {
  const error = { code: 'parse_error', message: 'It does not parse', hint: '', file: 'modules/a.ts', line: 3 }
  const wants = attentionOf([
    serviceLike('fine'),
    serviceLike('behind', { stale: true, generation: 4 }),
    serviceLike('old', { stale: true, last_good: 1, last_error: error }),
    serviceLike('held', { state: 'quarantined', last_error: error }),
    serviceLike('later', { state: 'waiting', waiting_for: ['db'], generation: null, queued: 2 }),
    serviceLike('moving', { state: 'switching' }),
    serviceLike('ending', { generations: 3 }),
    serviceLike('off', { state: 'stopped' }),
  ])
  expect(wants.map(({ api, tone, what, place }) => [api, tone, what, place])).toEqual([
    ['held', 'bad', 'quarantined', 'modules/a.ts:3'],
    ['behind', 'warn', 'stale', undefined],
    ['later', 'warn', 'waiting', undefined],
    ['later', 'warn', 'queue', undefined],
    ['old', 'warn', 'last good', 'modules/a.ts:3'],
    ['ending', 'busy', 'drains', undefined],
    ['moving', 'busy', 'switching', undefined],
  ])
  expect(wants.find(({ what }) => what === 'waiting')?.why).toBe('For db')
  expect(wants.find(({ what }) => what === 'stale')?.why).toBe('What is on disk does not run; g4 serves')
})
