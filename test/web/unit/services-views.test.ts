/** What the pages of services make of what the API tells: decided without a browser. */
import { expect, it } from 'vitest'
import type { ReloadResult } from '../../../modules/contracts/kernel.ts'
import { advance } from '../../../web/src/live/rates.ts'
import { picked, rollbackCompared, undoCompared } from '../../../web/src/pages/services/compared.ts'
import { filtered } from '../../../web/src/pages/services/filter.ts'
import { neighborsOf } from '../../../web/src/pages/services/neighbors.ts'
import { coversPower, powersOf } from '../../../web/src/pages/services/power-rows.ts'
import { told } from '../../../web/src/pages/services/told.ts'
import { serviceLike } from './service-like.ts'

const live = (id: number, generation: number, from: number | null) => ({
  id: `h${id}`,
  time: id,
  type: 'service.live',
  api: 'a',
  text: '',
  change: true,
  files: [],
  data: { generation, from },
})

it('a way back shows what it changes: the version before, or what the disk is ahead', () => {
  const happened = [live(1, 1, null), live(2, 2, 1), live(3, 4, 2)]
  expect(rollbackCompared(happened, { api: 'a', generation: 4 })).toEqual({ from: 'live', to: 'g2' })
  expect(rollbackCompared(happened, { api: 'a', generation: 1 })).toBeUndefined()
  expect(rollbackCompared([], { api: 'a', generation: 4 })).toBeUndefined()
  expect(undoCompared(happened, { api: 'a', generation: 4, stale: true })).toEqual({ from: 'disk', to: 'live' })
  expect(undoCompared(happened, { api: 'a', generation: 4, stale: false })).toEqual({ from: 'live', to: 'g2' })
})

it('compared are the version before and what runs, until somebody picks others', () => {
  expect(picked([live(1, 1, null), live(2, 2, 1)], {})).toEqual({ from: 'h1', to: 'live' })
  expect(picked([live(1, 1, null)], {})).toEqual({ from: 'live', to: 'disk' })
  expect(picked([], { from: 'h1', to: 'h2' })).toEqual({ from: 'h1', to: 'h2' })
})

it('powers: refused first, then held for nothing, then used', () => {
  const at = { count: 2, last_at: 5 }
  const report = {
    granted: ['db.query', 'db.*', 'files.read:/tmp/**', 'clock.now'],
    used: [
      { power: 'db.query', ...at },
      { power: 'db.all', ...at },
    ],
    refused: [{ power: 'shell.run', ...at }],
  }
  expect(powersOf(report).map(({ power, verdict, count }) => [power, verdict, count])).toEqual([
    ['shell.run', 'refused', 2],
    ['files.read:/tmp/**', 'unused', null],
    ['clock.now', 'unused', null],
    ['db.query', 'used', 2],
    ['db.all', 'used', 2],
    ['db.*', 'granted', null],
  ])
})

it('a grant covers a use by service, aspect and method', () => {
  expect(coversPower('services/db.query:SELECT.*', 'services/db.query')).toBe(true)
  expect(coversPower('db@tool.*', 'db@tool.open')).toBe(true)
  expect(coversPower('db.*', 'db@tool.open')).toBe(false)
  expect(coversPower('db@*.open', 'db.open')).toBe(true)
  expect(coversPower('db.query', 'database.query')).toBe(false)
})

it('whom it calls and who calls it, with rates; what it only needs without', () => {
  const links = (calls: number) => [
    { caller: 'a', callee: 'b', calls, in_flight: 0 },
    { caller: 'http', callee: 'a', calls, in_flight: 0 },
    { caller: 'x', callee: 'y', calls, in_flight: 0 },
  ]
  const pulse = advance(advance(undefined, { at: 0, services: [], links: links(1) }), {
    at: 1_000,
    services: [],
    links: links(5),
  })
  expect(neighborsOf({ api: 'a', needs: ['b', 'c'] }, pulse)).toEqual([
    { api: 'b', way: 'calls', calls: 5, calls_per_s: 4 },
    { api: 'http', way: 'is called by', calls: 5, calls_per_s: 4 },
    { api: 'c', way: 'needs', calls: null, calls_per_s: null },
  ])
})

it('services are found by words of their name and what they do, and by state', () => {
  const services = [
    serviceLike('db', { description: 'Keeps rows' }),
    serviceLike('agent', { stale: true }),
    serviceLike('later', { state: 'waiting' }),
  ]
  const names = (text: string, wanted: string): string[] => filtered(services, text, wanted).map(({ api }) => api)
  expect(names(' ROWS keeps', 'all')).toEqual(['db'])
  expect(names('', 'waiting')).toEqual(['later'])
  expect(names('', 'stale')).toEqual(['agent'])
  expect(names('', 'attention')).toEqual(['agent', 'later'])
  expect(names('nothing', 'attention')).toEqual([])
})

it('a movement is told with its numbers, a refusal is thrown as what it is', () => {
  const error = { code: 'parse_error', message: 'It does not parse', hint: '' }
  const result: ReloadResult = {
    ok: true,
    generation: 4,
    error: null,
    rolled_back: false,
    state: 'carried',
    from: 3,
    ms: 13.6,
    failed_calls: 0,
    deferred: false,
  }
  const say = (given: Partial<ReloadResult>) => told('reloaded', { api: 'a' }, { ...result, ...given })
  expect(say({})).toMatchObject({ tone: 'good', text: 'a reloaded: g3 → g4, 14 ms, 0 failed, state carried' })
  expect(say({ failed_calls: 2 }).tone).toBe('warn')
  expect(say({ from: null }).text).toContain('a reloaded: g4,')
  expect(say({ generation: null }).text).toBe('a reloaded: it is stopped now')
  expect(say({ ok: false, deferred: true, error })).toMatchObject({ tone: 'warn', detail: 'It does not parse' })
  expect(() => say({ ok: false, error })).toThrow(expect.objectContaining({ code: 'parse_error' }))
})
