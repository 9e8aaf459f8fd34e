/** The decisions: which version is good, what is wrong on disk, and what follows. */
import { expect, it } from 'vitest'
import type { ErrorData } from '../../modules/contracts/errors.ts'
import type { LastGoodUse } from '../../modules/contracts/changes.ts'
import type { ServiceRecord } from '../../modules/contracts/state.ts'
import { lastGoodName, parseLastGood, printLastGood, type LastGoodRecord } from '../../modules/lib/last-good.ts'
import type { DesiredState } from '../../modules/kernel/configs.ts'
import { nextStep, servesWell, troubleOf } from '../../modules/kernel/last-good.ts'
import { createService } from '../../modules/kernel/service.ts'

const error = (code: string): ErrorData => ({ code, message: code, hint: '' })

function record(changes: object): ServiceRecord {
  return Object.assign(createService('x', 0), changes)
}

const live = {} as ServiceRecord['live']

it('a version serves well when it is live, no restart is due, and none was within the time it has to prove itself', () => {
  const restarts = (...at: number[]): object => ({
    live,
    state: 'live',
    supervision: { restarts: at, faults: [], timer: undefined },
  })
  expect(servesWell(record(restarts()), 10_000, 1_000)).toBe(live)
  expect(servesWell(record(restarts(1, 8_999)), 10_000, 1_000)).toBe(live)
  expect(servesWell(record(restarts(9_001)), 10_000, 1_000)).toBeUndefined()
  expect(servesWell(record({ ...restarts(), state: 'switching' }), 10_000, 1_000)).toBeUndefined()
  expect(servesWell(record({ ...restarts(), live: undefined }), 10_000, 1_000)).toBeUndefined()
  const due = { live, state: 'live', supervision: { restarts: [], faults: [], timer: { id: 1 } } }
  expect(servesWell(record(due), 10_000, 1_000)).toBeUndefined()
})

const wanted = (hash: string, more: Partial<DesiredState> = {}): DesiredState => ({
  services: new Map([['x', { api: 'x', base: 'x', hash } as never]]),
  errors: [],
  broken: new Map(),
  contested: new Map(),
  ...more,
})

const refused = {
  state: 'failed',
  scan: { key: 's' },
  refusedAttempt: { configHash: 'c', sourceKey: 's' },
  refusal: error('source_syntax'),
}

it('only what was refused as it stands on disk now is trouble, and only where nothing serves', () => {
  const desired = wanted('c')
  expect(troubleOf(record(refused), desired)).toEqual({ key: 'c s', error: error('source_syntax') })
  for (const state of ['quarantined', 'starting']) {
    expect(troubleOf(record({ ...refused, state }), desired)?.key).toBe('c s')
  }
  for (const state of ['tripped', 'draining', 'stopped', 'waiting']) {
    expect([state, troubleOf(record({ ...refused, state }), desired)]).toEqual([state, undefined])
  }
  expect(troubleOf(record({ ...refused, live }), desired)).toBeUndefined()
  expect(troubleOf(record({ ...refused, busy: true }), desired)).toBeUndefined()
  expect(troubleOf(record({ ...refused, scan: { key: 'newer' } }), desired)).toBeUndefined()
  expect(troubleOf(record(refused), wanted('newer'))).toBeUndefined()
  expect(troubleOf(record({ ...refused, refusedAttempt: undefined }), desired)).toBeUndefined()
  expect(troubleOf(record(refused), wanted('c', { services: new Map() }))).toBeUndefined()
})

it('a config that cannot be read, and a name two files claim, are trouble for who ran from them', () => {
  const broken = wanted('c', { services: new Map(), broken: new Map([['x', error('config_syntax')]]) })
  expect(troubleOf(record({ desired: { base: 'x' } }), broken)?.error.code).toBe('config_syntax')
  expect(troubleOf(record({ desired: { base: 'y' } }), broken)).toBeUndefined()
  const contested = wanted('c', { services: new Map(), contested: new Map([['x', error('config_api_taken')]]) })
  expect(troubleOf(record({}), contested)?.error.code).toBe('config_api_taken')
})

it('each state of the disk is looked up once and stood in for once; what waits is started when its needs are there', () => {
  const use = (stage: LastGoodUse['stage'], needs: string[] = []): LastGoodUse => ({
    key: 'c s',
    error: error('source_syntax'),
    version: undefined,
    stage,
    needs,
  })
  const next = (one: LastGoodUse | undefined, key = 'c s'): string => nextStep(one, { key }, (api) => api === 'there')
  expect(next(undefined)).toBe('load')
  expect(next(use('serving'), 'c newer')).toBe('load')
  expect(next(use('due'))).toBe('start')
  expect(next(use('waiting', ['there']))).toBe('start')
  expect(next(use('waiting', ['there', 'absent']))).toBe('none')
  for (const stage of ['none', 'starting', 'serving', 'failed'] as const) expect(next(use(stage))).toBe('none')
})

const RECORD: LastGoodRecord = {
  kept_at: 1,
  desired: { api: 'a/b:c', params: { __proto__: null, text: 'ä', none: undefined } as never } as never,
  config_text: null,
  source_key: 'k',
  entry: 'modules/x.ts',
  files: { 'modules/x.ts': 'h' },
  packages: {},
}

it('a record is read as it was written, and any other byte in it is told', () => {
  const text = printLastGood(RECORD)
  expect(parseLastGood(text)).toEqual(JSON.parse(JSON.stringify(RECORD)))
  for (let at = 0; at < text.trimEnd().length; at++) {
    const other = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`
    // White space between the parts is nobody's content.
    if (!/\s/.test(text[at] ?? '')) expect([at, typeof parseLastGood(other)]).toEqual([at, 'string'])
    expect(typeof parseLastGood(text.slice(0, at))).toBe('string')
  }
  for (const odd of ['null', '[]', '"x"', '{}', '']) expect(typeof parseLastGood(odd)).toBe('string')
})

it('records of different names have different files, whatever stands in the names', () => {
  const names = ['a/b', 'a.b', 'a:b', 'a_b', 'a-b', 'A/B', 'x'.repeat(200), `${'x'.repeat(199)}y`]
  const files = names.map(lastGoodName)
  expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(names.length)
  for (const file of files) expect(file).toMatch(/^[A-Za-z0-9_.-]{1,100}\.json$/)
})
