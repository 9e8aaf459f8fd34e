/**
 * S8 in the steady state: as many calls as the system answers, with the gate and its recordings and without, in turns, so
 * that whatever else the machine does is in both. No change is under way.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, percentile, round } from '../support.ts'
import { subjects } from './corpus.ts'
import { pricing } from './drivers/pure.ts'
import { seeded } from './drivers/driver.ts'
import { GatePeer } from './gate-peer.ts'

const ROUNDS = 5
const WINDOW_MS = 2_000
const CALLERS = 16

interface Window {
  per_second: number
  p99: number
}

async function measure(peer: GatePeer, ms: number): Promise<Window> {
  const times: number[] = []
  const driver = pricing()
  const random = seeded(3)
  const until = performance.now() + ms
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const since = performance.now()
      await peer.call(driver.next(random).call, 5_000)
      times.push(performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return { per_second: (times.length / ms) * 1_000, p99: percentile(times, 0.99) }
}

/** One line of the report. */
export async function overhead(): Promise<string> {
  const base = mkdtempSync(join(tmpdir(), 'mm-safe-evolve-'))
  const subject = subjects.pricing
  const plain = { ...subject, config: subject.config.replace(/^record:.*$/m, 'record: false') }
  const both = [
    { peer: new GatePeer(), subject, windows: [] as Window[] },
    { peer: new GatePeer({ bare: true }), subject: plain, windows: [] as Window[] },
  ]
  try {
    for (const [index, one] of both.entries()) {
      const folder = join(base, String(index))
      mkdirSync(folder)
      await one.peer.start({ folder, secret: 'none', subject: one.subject })
      await measure(one.peer, WINDOW_MS)
    }
    for (let turn = 0; turn < ROUNDS; turn++)
      for (const { peer, windows } of turn % 2 === 0 ? both : [...both].reverse())
        windows.push(await measure(peer, WINDOW_MS))
  } finally {
    for (const { peer } of both) await peer.stop()
    rmSync(base, { recursive: true, force: true, maxRetries: 5 })
  }
  const [on, off] = both.map(({ windows }) => ({
    rate: median(windows.map(({ per_second }) => per_second)),
    p99: median(windows.map(({ p99 }) => p99)),
  }))
  if (on === undefined || off === undefined) return ''
  return `S8 in the steady state, ${CALLERS} callers over HTTP, medians of ${ROUNDS} windows of ${WINDOW_MS / 1_000} s: with the gate and all calls recorded ${round(on.rate, 0)} calls/s, p99 ${round(on.p99, 1)} ms; without ${round(off.rate, 0)} calls/s, p99 ${round(off.p99, 1)} ms; ${round((on.rate / off.rate - 1) * 100, 1)} %.`
}
