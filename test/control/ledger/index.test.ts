/** The ledger as a service: what is answered is on the disk, what was altered there is named, and then nothing is recorded. */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LedgerApi, LedgerInput } from '../../../modules/contracts/ledger.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import { openLedger } from '../../../modules/control/ledger/store.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { underCalls } from '../../support/load.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../../support/system.ts'

const ENTRY: LedgerInput = {
  actor: 'ada',
  origin: 'human',
  action: 'change_approved',
  resource: 'service:api',
  outcome: 'ok',
}

let root: TestRoot
let system: TestSystem
let ledger: Handle<LedgerApi>
const path = (name: string): string => join(root.path, 'runtime', 'control', name)

async function start(): Promise<void> {
  system = await startSystem(root)
  ledger = system.getApi<LedgerApi>('ledger')
}
async function restart(meanwhile: () => void | Promise<void>): Promise<void> {
  await system.kernel.stop('test', 2_000)
  await meanwhile()
  await start()
}
async function sql(statement: string): Promise<void> {
  const connection = await openDatabase(path('ledger.db'), 1_000)
  connection.prepare(statement).run([])
  connection.close()
}
const append = async (times: number): Promise<void> => {
  for (let index = 1; index <= times; index++) await ledger.append({ ...ENTRY, payload: { index } })
}

const copyOver = (from: string, to: string): void => {
  if (existsSync(from)) copyFileSync(from, to)
}

beforeEach(async () => {
  root = createRoot({ 'configs/ledger.yml': 'prog: control/ledger\n' })
  await start()
})
afterEach(() => system.stop())

it('what was appended is read back, with every field, and found right', async () => {
  const head = await ledger.append({ ...ENTRY, reason: 'asked for', cycle: 'c1', payload: { b: [1, { a: null }] } })
  await ledger.append({ ...ENTRY, actor: 'bob', outcome: 'refused' })
  expect(head).toMatchObject({ sequence: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
  const [first, second] = await ledger.read()
  expect(first).toMatchObject({
    ...ENTRY,
    sequence: 1,
    subsystem: 'change',
    reason: 'asked for',
    payload: { b: [1, { a: null }] },
  })
  expect(second).toMatchObject({ sequence: 2, actor: 'bob', previous_hash: head.hash })
  expect(await ledger.read({ actor: 'bob' })).toHaveLength(1)
  expect(await ledger.read({ cycle: 'c1' })).toHaveLength(1)
  expect(await ledger.read({ after: 1 })).toMatchObject([{ sequence: 2 }])
  expect(await ledger.verify()).toMatchObject({ valid: true, entries: 2, at: null, fault: null })
  expect(await ledger.status()).toMatchObject({ open: true, head: { sequence: 2 } })
})

it('it is read backwards from a sequence too, each piece in order, and with a filter', async () => {
  for (let index = 1; index <= 7; index++) await ledger.append({ ...ENTRY, actor: index % 2 === 0 ? 'bob' : 'ada' })
  const before = async (query: object): Promise<number[]> =>
    (await ledger.read({ limit: 2, ...query })).map(({ sequence }) => sequence)
  expect(await before({})).toEqual([6, 7])
  expect(await before({ before: 6 })).toEqual([4, 5])
  expect(await before({ before: 6, actor: 'bob' })).toEqual([2, 4])
  expect(await before({ before: 1 })).toEqual([])
})

it('many at once get a sequence without a gap, each its own', async () => {
  const heads = await Promise.all(
    Array.from({ length: 1_200 }, (_one, index) => ledger.append({ ...ENTRY, payload: { index } })),
  )
  expect(heads.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 1_200 }, (_one, index) => index + 1))
  expect(await ledger.verify()).toMatchObject({ valid: true, entries: 1_200 })
  const seen: number[] = []
  for await (const { sequence } of ledger.entries(1_100)) seen.push(sequence)
  expect(seen).toEqual(Array.from({ length: 101 }, (_one, index) => index + 1_100))
})

it('a reload under appends loses none and doubles none', async () => {
  const { calls, failed } = await underCalls(
    8,
    () => ledger.append(ENTRY),
    async () => {
      for (let version = 1; version <= 5; version++) {
        root.write('configs/ledger.yml', `prog: control/ledger\nlimit_max: ${1_000 + version}\n`)
        expect(await system.reload('ledger')).toMatchObject({ ok: true })
      }
    },
  )
  expect(failed).toEqual([])
  expect(await ledger.verify()).toMatchObject({ valid: true, entries: calls })
})

it('it goes on after a restart, and its key is nobody else’s to read', async () => {
  await append(2)
  await restart(() => undefined)
  await append(1)
  expect(await ledger.verify()).toMatchObject({ valid: true, entries: 3 })
  for (const name of ['ledger.key', 'ledger.head']) expect(statSync(path(name)).mode & 0o777).toBe(0o600)
})

it.each<[string, () => void | Promise<void>, number, string]>([
  [
    'an entry edited',
    () => sql(`UPDATE entries SET text = replace(text, '"ada"', '"eve"') WHERE sequence = 2`),
    2,
    'altered',
  ],
  [
    'its time edited',
    () => sql(`UPDATE entries SET text = replace(text, '"time":1', '"time":2') WHERE sequence = 3`),
    3,
    'altered',
  ],
  ['an entry deleted', () => sql('DELETE FROM entries WHERE sequence = 2'), 2, 'missing'],
  ['the tail cut', () => sql('DELETE FROM entries WHERE sequence > 3'), 4, 'cut'],
  [
    'the kept head written by another',
    () => writeFileSync(path('ledger.head'), '{"sequence":2,"hash":"0","seal":"0"}'),
    5,
    'head_altered',
  ],
  ['the kept head removed', () => rmSync(path('ledger.head')), 5, 'head_altered'],
])('%s while it was down: found at the start, and nothing is recorded any more', async (_name, tamper, at, fault) => {
  await append(5)
  await restart(tamper)
  await expect.poll(async () => (await ledger.status()).checked).toMatchObject({ valid: false, at, fault })
  expect(await rejection(ledger.append(ENTRY))).toMatchObject({ code: 'ledger_broken' })
  expect(await ledger.status()).toMatchObject({ open: false })
  expect(system.log.map(({ message }) => message)).toContainEqual(expect.stringContaining(`entry ${at} (${fault})`))
})

it('an older file that was put back is found', async () => {
  await append(3)
  await system.kernel.stop('test', 2_000)
  for (const name of ['ledger.db', 'ledger.db-wal']) copyOver(path(name), path(`old-${name}`))
  await start()
  await append(2)
  await restart(() => {
    for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) rmSync(path(name), { force: true })
    for (const name of ['ledger.db', 'ledger.db-wal']) copyOver(path(`old-${name}`), path(name))
  })
  expect(await ledger.verify()).toMatchObject({ valid: false, at: 4, fault: 'cut' })
})

it('without its key it does not start, and says why', async () => {
  await append(1)
  await restart(() => renameSync(path('ledger.key'), path('elsewhere')))
  expect(await rejection(ledger.append(ENTRY))).toMatchObject({ code: 'service_failed' })
  expect(system.log.map(({ message }) => message)).toContainEqual(expect.stringContaining('ledger.key'))
  expect(await rejection(openLedger(path('')))).toMatchObject({ code: 'ledger_key_missing' })
  renameSync(path('elsewhere'), path('ledger.key'))
})

it('what is no entry is refused and leaves nothing', async () => {
  const refused = async (entry: object): Promise<unknown> =>
    (await rejection(ledger.append(entry as LedgerInput))).message
  expect(await refused({ ...ENTRY, actor: '' })).toContain('actor')
  expect(await refused({ ...ENTRY, origin: 'nobody' })).toContain('origin')
  expect(await refused({ ...ENTRY, more: 1 })).toContain('more')
  expect(await refused({ ...ENTRY, payload: { text: 'x'.repeat(70_000) } })).toContain('entry_bytes_max')
  expect(await rejection(ledger.append({ ...ENTRY, payload: { at: new Date() } as never }))).toMatchObject({
    code: 'ledger_entry_invalid',
  })
  expect(await ledger.read()).toEqual([])
})

it('an append that cannot be written fails, and the next one that can goes on in order', async () => {
  await append(1)
  rmSync(path('ledger.head'))
  // A folder where the head is to stand: no rename can put a file there.
  mkdirSync(path('ledger.head'))
  expect(await rejection(ledger.append(ENTRY))).toMatchObject({ code: 'file_failed' })
  rmSync(path('ledger.head'), { recursive: true })
  const { sequence } = await ledger.append(ENTRY)
  expect(sequence).toBe(3)
  expect(await ledger.verify()).toMatchObject({ valid: true, entries: 3 })
})

it('more than may wait for the disk are refused', async () => {
  root.write('configs/ledger.yml', 'prog: control/ledger\nwaiting_max: 10\n')
  await system.reload('ledger')
  const settled = await Promise.allSettled(Array.from({ length: 12 }, () => ledger.append(ENTRY)))
  expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(2)
  expect((settled.at(-1) as PromiseRejectedResult).reason).toMatchObject({ code: 'ledger_busy' })
})
