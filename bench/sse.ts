/**
 * How late events reach a hundred readers at 1,000 events a second, without and with one reader that takes nothing: it is
 * cut off, and delays nobody. Server and readers share a process, so reading is part of what is measured.
 * Run: npm run bench -- sse
 */
import { serveHttp } from '../test/support/http.ts'
import { CRIER, readEvents, type EventReader } from '../test/support/sse.ts'
import { machine, percentile, round, table } from './support.ts'

const READERS = 100
const EVENTS = 5_000

const served = await serveHttp(CRIER)
const open = (query: string, paused = false): Promise<EventReader> =>
  readEvents({ port: served.port, token: served.token, query }, { paused })

interface Figures {
  late: number[]
  got: number
  per_s: number
  cut: string
}

async function measure(stalls: boolean): Promise<Figures> {
  const watcher = await open('?subscribe=http.*')
  const stalled = stalls ? await open('', true) : undefined
  const readers = await Promise.all(Array.from({ length: READERS }, () => open('?subscribe=tick.*')))
  const began = performance.now()
  await served.call('crier', 'flood', [EVENTS])
  await Promise.all(readers.map((reader) => reader.until((event) => event.data['n'] === EVENTS - 1)))
  const seconds = (performance.now() - began) / 1_000
  const late = readers.flatMap(({ events, at }) =>
    events.map(({ time }, index) => performance.timeOrigin + (at[index] ?? Number.NaN) - time),
  )
  const cut = watcher.events.find(({ type }) => type === 'http.stream_cut')?.data['reason']
  for (const reader of [watcher, ...readers, ...(stalled === undefined ? [] : [stalled])]) reader.close()
  return { late, got: late.length, per_s: EVENTS / seconds, cut: typeof cut === 'string' ? cut : '-' }
}

await measure(false)
const rows: string[][] = []
for (const stalls of [false, true, false, true]) {
  const { late, got, per_s, cut } = await measure(stalls)
  const name = stalls ? 'and one that takes nothing' : `${READERS} readers`
  rows.push([
    name,
    round(per_s, 0),
    `${got} of ${READERS * EVENTS}`,
    round(percentile(late, 0.5), 1),
    round(percentile(late, 0.99), 1),
    cut,
  ])
}
console.log(`### Event streams: each event to ${READERS} readers (${machine()})\n`)
console.log(table(['', 'events/s', 'received', 'late p50 ms', 'p99 ms', 'cut off'], rows))
await served.system.stop()
process.exit(0)
