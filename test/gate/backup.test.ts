/**
 * A backup under load: a writer adds one row to the database, then one to the vector store, then a file, again and again,
 * while backups are made. Each is restored into an empty folder: it boots, holds everything that was acknowledged before
 * it began and nothing torn, and both stores stand at the same moment.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, rootAt, type TestRoot } from '../support/root.ts'

const BACKUPS = 3

let root: TestRoot | undefined
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  root?.dispose()
})

const FILES = {
  'configs/http.yml': 'prog: services/http\nport: 0\n',
  'configs/database.yml': 'prog: services/database\n',
  'configs/chromadb.yml': 'prog: services/chromadb\nmode: embedded\n',
  'configs/filesystem.yml': 'prog: services/filesystem\n',
  'configs/shop.yml': 'size: 0\n',
  'modules/shop.js': 'export class Module {}\n',
}

/** What the table holds after so many rows: each is one transaction of two statements. */
const digest = (rows: { n: number; text: string }[]): string =>
  createHash('sha256')
    .update(rows.map(({ n, text }) => `${n} ${text}\n`).join(''))
    .digest('hex')

const textOf = (n: number): string => `row ${n} ${'x'.repeat(200 + (n % 50))}`
const rowsUpTo = (count: number): { n: number; text: string }[] =>
  Array.from({ length: count }, (_, index) => ({ n: index + 1, text: textOf(index + 1) }))

async function write(system: RunningSystem, acknowledged: { rows: number }, signal: AbortSignal): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    await system.call('database', 'transaction', [
      { sql: 'INSERT INTO log VALUES (?, ?)', params: [n, textOf(n)] },
      { sql: 'UPDATE total SET rows = rows + 1' },
    ])
    acknowledged.rows = n
    await system.call('chromadb', 'add', 'notes', { ids: [`n${n}`], documents: [textOf(n)] })
    if (n % 20 === 0) await system.call('filesystem', 'write_file', 'prompts/last.txt', `${n}\n`.repeat(1_000))
    if (n % 50 === 0) root?.writeByRename('configs/shop.yml', `size: ${n}\n`)
  }
}

async function checkCopy(folder: string, least: number, most: number): Promise<void> {
  const copy = await startProcess(rootAt(folder))
  running.push(copy)
  const services = (await copy.api<{ services: { api: string; state: string }[] }>('GET', '/api/services')).body
    .services
  expect(services.filter((one) => one.state !== 'live')).toEqual([])
  const [total] = await copy.call<{ rows: number }[]>('database', 'query', 'SELECT rows FROM total')
  const rows = total?.rows ?? 0
  expect(rows).toBeGreaterThanOrEqual(least)
  expect(rows).toBeLessThanOrEqual(most)
  const found: { n: number; text: string }[] = []
  for (let from = 0; from < rows; from += 500)
    found.push(
      ...(await copy.call<{ n: number; text: string }[]>(
        'database',
        'query',
        'SELECT n, text FROM log WHERE n > ? ORDER BY n LIMIT 500',
        [from],
      )),
    )
  expect(digest(found)).toBe(digest(rowsUpTo(rows)))
  // The one is written before the other, and never two ahead: so at any one moment, and so in the copy.
  const notes = await copy.call<number>('chromadb', 'count', 'notes')
  expect([0, 1]).toContain(rows - notes)
  const lines = new Set(rootAt(folder).read('prompts/last.txt').trim().split('\n'))
  expect(lines.size).toBe(1)
  expect(await copy.stop()).toBe(0)
}

it('backups made under load are each one moment of the system, and start', async () => {
  root = createRoot(FILES)
  const system = await startProcess(root)
  running.push(system)
  await system.call('database', 'execute', 'CREATE TABLE log (n INTEGER PRIMARY KEY, text TEXT)')
  await system.call('database', 'transaction', [
    { sql: 'CREATE TABLE total (rows INTEGER)' },
    { sql: 'INSERT INTO total VALUES (0)' },
  ])
  await system.call('chromadb', 'get_or_create_collection', 'notes')
  await system.call('filesystem', 'write_file', 'prompts/last.txt', '0\n'.repeat(1_000))
  const stop = new AbortController()
  const acknowledged = { rows: 0 }
  const writing = write(system, acknowledged, stop.signal)
  const told: { file: string; digest: string; least: number; most: number }[] = []
  for (let count = 0; count < BACKUPS; count++) {
    const least = acknowledged.rows
    const file = join(root.path, `backups/${count}.tar.gz`)
    const { code, stdout, stderr } = await mm(root.path, 'backup', file, '--json')
    expect([code, stderr]).toEqual([0, ''])
    const { digest: made } = JSON.parse(stdout) as { digest: string }
    told.push({ file, digest: made, least, most: acknowledged.rows + 1 })
  }
  stop.abort()
  await writing
  expect(acknowledged.rows).toBeGreaterThan(50)
  expect(new Set(told.map((one) => one.digest)).size).toBe(BACKUPS)
  for (const [index, { file, digest: made, least, most }] of told.entries()) {
    const folder = join(root.path, `restored-${index}`)
    const { code, stdout } = await mm('.', 'restore', file, folder, '--json')
    expect([code, (JSON.parse(stdout) as { digest: string }).digest]).toEqual([0, made])
    await checkCopy(folder, least, most)
  }
})
