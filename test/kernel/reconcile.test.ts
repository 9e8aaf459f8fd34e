import { expect, it } from 'vitest'
import { groupMoves, plan, type Active, type PlanInput, type Wanted } from '../../modules/kernel/reconcile.ts'

const wanted = (changes: Partial<Wanted> = {}): Wanted => ({
  api: 'a',
  base: 'a',
  prog: 'p',
  configHash: 'c1',
  sourceKey: 's1',
  ...changes,
})
const active = (changes: Partial<Active> = {}): Active => ({
  api: 'a',
  base: 'a',
  state: 'live',
  busy: false,
  full: false,
  live: { prog: 'p', base: 'a', configHash: 'c1', sourceKey: 's1' },
  candidate: undefined,
  refused: undefined,
  putOff: undefined,
  waitingFor: [],
  graceSince: undefined,
  ...changes,
})
const steps = (want: Wanted[], have: Active[], more: Partial<PlanInput> = {}) =>
  plan({
    wanted: new Map(want.map((one) => [one.api, one])),
    active: new Map(have.map((one) => [one.api, one])),
    brokenBases: new Set(),
    contestedApis: new Set(),
    isLive: () => false,
    now: 1_000,
    graceMs: 250,
    sure: new Set<string>(),
    ...more,
  })

const other = { configHash: 'c2', sourceKey: 's1' }

it('what runs as it is wanted needs nothing', () => {
  expect(steps([wanted()], [active()])).toEqual([])
})

it('new, changed and changed-back services are built', () => {
  expect(steps([wanted()], [])).toEqual([{ kind: 'move', api: 'a' }])
  expect(steps([wanted({ configHash: 'c2' })], [active()])).toEqual([{ kind: 'move', api: 'a' }])
  expect(steps([wanted({ sourceKey: 's2' })], [active()])).toEqual([{ kind: 'move', api: 'a' }])
})

it('a refused version is not tried again until it changes', () => {
  const refused = active({ refused: other })
  expect(steps([wanted(other)], [refused])).toEqual([])
  expect(steps([wanted({ ...other, sourceKey: 's9' })], [refused])).toEqual([{ kind: 'move', api: 'a' }])
})

it('a service that waits is tried again when all it waits for is live', () => {
  const waiting = active({
    state: 'waiting',
    live: undefined,
    refused: { configHash: 'c1', sourceKey: 's1' },
    waitingFor: ['x', 'y'],
  })
  expect(steps([wanted()], [waiting], { isLive: (api) => api === 'x' })).toEqual([])
  expect(steps([wanted()], [waiting], { isLive: () => true })).toEqual([{ kind: 'move', api: 'a' }])
})

it('a movement under way is left alone, unless what it builds is out of date', () => {
  const busy = active({ busy: true, candidate: other })
  expect(steps([wanted(other)], [busy])).toEqual([])
  expect(steps([wanted({ ...other, sourceKey: 's3' })], [busy])).toEqual([{ kind: 'abandon', api: 'a' }])
})

it('a stop and a change of prog have to last; a first start and a change back do not', () => {
  expect(steps([], [active()])).toEqual([{ kind: 'grace', api: 'a', ms: 250 }])
  expect(steps([], [active({ graceSince: 900 })])).toEqual([{ kind: 'grace', api: 'a', ms: 150 }])
  expect(steps([], [active({ graceSince: 700 })])).toEqual([{ kind: 'stop', api: 'a' }])
  const changed = wanted({ prog: 'q', configHash: 'c2' })
  expect(steps([changed], [active()])).toEqual([{ kind: 'grace', api: 'a', ms: 250 }])
  expect(steps([changed], [active({ graceSince: 1 })])).toEqual([{ kind: 'move', api: 'a' }])
  expect(steps([wanted()], [active({ graceSince: 1 })])).toEqual([{ kind: 'calm', api: 'a' }])
  expect(steps([], [active({ state: 'failed', live: undefined })])).toEqual([{ kind: 'stop', api: 'a' }])
})

it('a broken file and a contested api never stop what runs', () => {
  expect(steps([], [active()], { brokenBases: new Set(['a']) })).toEqual([])
  expect(steps([], [active({ graceSince: 1 })], { contestedApis: new Set(['a']) })).toEqual([
    { kind: 'calm', api: 'a' },
  ])
})

it('a renamed api starts when the old name is gone', () => {
  const renamed = wanted({ api: 'b' })
  expect(steps([renamed], [active({ graceSince: 1 })])).toEqual([{ kind: 'stop', api: 'a' }])
  expect(steps([renamed], [active({ state: 'draining', busy: true })])).toEqual([])
  expect(steps([renamed], [active({ state: 'stopped', live: undefined })])).toEqual([{ kind: 'move', api: 'b' }])
})

it('a renamed api waits for nothing when the old name runs nothing, stays, or runs from another file', () => {
  const renamed = wanted({ api: 'b' })
  const claimedTwice = { contestedApis: new Set(['a']) }
  const failed = active({ state: 'failed', live: undefined })
  expect(steps([renamed], [failed], claimedTwice)).toEqual([{ kind: 'move', api: 'b' }])
  expect(steps([renamed], [active()], claimedTwice)).toEqual([{ kind: 'move', api: 'b' }])
  const elsewhere = active({ live: { prog: 'p', base: 'z', configHash: 'c1', sourceKey: 's1' } })
  expect(steps([renamed], [elsewhere])).toContainEqual({ kind: 'move', api: 'b' })
})

it('moves that share a changed file are one group, through others too', () => {
  const move = (api: string, ...files: string[]) => ({ api, changed: new Set(files) })
  const groups = groupMoves([move('a', '1'), move('b', '2'), move('c', '3'), move('d', '1', '2'), move('e')])
  expect(groups.map((group) => group.sort()).sort()).toEqual([['a', 'b', 'd'], ['c'], ['e']])
})

it('what was put off waits for its time, and a newer save does not', () => {
  const putOff = active({ putOff: other })
  expect(steps([wanted(other)], [putOff])).toEqual([])
  expect(steps([wanted({ configHash: 'c3' })], [putOff])).toEqual([{ kind: 'move', api: 'a' }])
  const waited = active({ putOff: other, refused: other, waitingFor: ['b'] })
  expect(steps([wanted(other)], [waited], { isLive: () => true })).toEqual([])
})

it('a service with as many draining versions as may be waits with its next switch', () => {
  expect(steps([wanted(other)], [active({ full: true })])).toEqual([])
})

it('a stop that was asked for by name needs no grace', () => {
  expect(steps([], [active()])).toEqual([{ kind: 'grace', api: 'a', ms: 250 }])
  expect(steps([], [active()], { sure: new Set(['a']) })).toEqual([{ kind: 'stop', api: 'a' }])
})
