/** The log over HTTP: its last lines by level and service, and what is added to it, also after it was moved aside. */
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { readOn, readTail } from '../../modules/services/http/log-tail.ts'
import { outcome, secretOf, serveHttp, type HttpSystem } from '../support/http.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const running: HttpSystem[] = []
const roots: TestRoot[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 }
const line = (level: keyof typeof LEVELS, msg: string, more: object = {}): string =>
  `${JSON.stringify({ level: LEVELS[level], time: 1_700_000_000_000, msg, ...more })}\n`

interface Answer {
  lines: { level: string; service: string | null; message: string; stack: string | null }[]
  next: string
  more: boolean
  gap: boolean
}

async function serve(text: string): Promise<{
  log: string
  served: HttpSystem
  read(query?: string): Promise<Answer>
}> {
  const served = await serveHttp(
    { 'configs/keeper.yml': 'prog: keeper\nkey: secret:vault\n', 'modules/keeper.ts': 'export class Module {}\n' },
    { secrets: ['vault'] },
  )
  running.push(served)
  const log = join(served.system.root.path, 'runtime', 'logs', 'mm.log')
  served.system.root.write('runtime/logs/mm.log', text)
  const read = async (query = ''): Promise<Answer> =>
    (await served.ask('GET', `/api/logs${query}`)).body as unknown as Answer
  return { log, served, read }
}

const texts = ({ lines }: Answer): string[] => lines.map(({ message }) => message)

it('the last lines come by level, by service and by number, oldest first', async () => {
  const { read } = await serve(
    line('debug', 'detail') +
      line('info', 'keeper  g1 live  3 ms') +
      line('info', 'said', { service: 'keeper' }) +
      line('error', 'burned', { service: 'other', stack: 'Error: burned\n    at run' }),
  )
  expect(texts(await read())).toEqual(['keeper  g1 live  3 ms', 'said', 'burned'])
  expect(texts(await read('?level=debug'))).toHaveLength(4)
  expect(texts(await read('?service=keeper'))).toEqual(['keeper  g1 live  3 ms', 'said'])
  expect((await read('?level=error')).lines).toEqual([
    {
      time: 1_700_000_000_000,
      level: 'error',
      service: 'other',
      message: 'burned',
      code: null,
      stack: 'Error: burned\n    at run',
    },
  ])
  expect(texts(await read('?limit=1&level=debug'))).toEqual(['burned'])
})

it('neither secrets nor paths of the machine are in it', async () => {
  const { served, read } = await serve('')
  const { path } = served.system.root
  served.system.root.write('runtime/logs/mm.log', line('info', `key ${secretOf('vault')} in ${path}/modules/keeper.ts`))
  expect(texts(await read())).toEqual(['key [redacted] in modules/keeper.ts'])
})

it('what is added comes once, also when the log was moved aside meanwhile; a line without an end waits', async () => {
  const { log, read } = await serve(line('info', 'one') + line('info', 'two').slice(0, -5))
  const first = await read()
  expect(texts(first)).toEqual(['one'])
  expect(await read(`?after=${first.next}`)).toMatchObject({ lines: [], next: first.next, more: false })
  appendFileSync(log, line('info', 'two').slice(-5) + line('info', 'three'))
  renameSync(log, `${log}.1`)
  writeFileSync(log, line('info', 'four'))
  const second = await read(`?after=${first.next}&limit=2`)
  expect([texts(second), second.more]).toEqual([['two', 'three'], true])
  const third = await read(`?after=${second.next}`)
  expect([texts(third), third.more, third.gap]).toEqual([['four'], false, false])
})

it('lines that are gone are told as a gap, and a place that is none is refused', async () => {
  const { log, served, read } = await serve(line('info', 'one'))
  const { next } = await read()
  renameSync(log, `${log}.1`)
  writeFileSync(log, line('info', 'two'))
  rmSync(`${log}.1`)
  const after = await read(`?after=${next}`)
  expect([texts(after), after.gap]).toEqual([['two'], true])
  expect(outcome(await served.ask('GET', '/api/logs?after=yesterday'))).toEqual([400, 'bad_request'])
  rmSync(log)
  expect(await read()).toEqual({ lines: [], next: null, more: false, gap: false })
})

it('a line that lies over two pieces of a large file is read whole, backward and forward', async () => {
  const root = createRoot()
  roots.push(root)
  const all = Array.from({ length: 9_000 }, (_, n) => `${n}`.padStart(100, '.'))
  root.write('mm.log', `${all.join('\n')}\n`)
  const path = join(root.path, 'mm.log')
  const read = (text: string): string => text
  expect((await readTail(path, { limit: 8_000, read })).entries).toEqual(all.slice(-8_000))
  expect((await readTail(path, { limit: 10_000, read, bytes_max: 300_000 })).entries.at(-1)).toBe(all.at(-1))
  const { next } = await readTail(path, { limit: 1, read })
  const begin = { inode: next?.inode ?? 0, offset: 0 }
  const forth = await readOn(path, begin, { limit: 10_000, read })
  expect(forth.entries).toEqual(all)
  expect(forth.next).toEqual(next)
})
