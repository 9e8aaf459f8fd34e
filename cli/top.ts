/**
 * `mm top`: the services by how much they do, drawn anew each second. Plain ANSI, and only lines that changed are written,
 * so that it is as quick over a slow line. Without a terminal, or with `--json`, one look and no more.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { coded, codeOf } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { prints, type Cli, type Common } from './common.ts'
import { allServices } from './lists.ts'
import { bold, dim, print, printJson, red, table } from './output.ts'

const INTERVAL_S_MAX = 3_600
const ROWS = 24
/** q, and Ctrl-C and Ctrl-D, which come as keys here */
const ENDS = ['q', '\u0003', '\u0004']

interface Sample {
  /** monotonic ms */
  at: number
  kernel: { status: string; version: string; uptime_s: number; frozen: string }
  services: {
    api: string
    state: string
    generation: number | null
    stale: boolean
    calls: number
    errors: number
    in_flight: number
    tasks: number
  }[]
}

interface Busy {
  api: string
  state: string
  generation: number | null
  stale: boolean
  calls_per_s: number
  errors_per_s: number
  in_flight: number
  tasks: number
}

async function sample(root: string): Promise<Sample> {
  const client = new Client(root, 0)
  const [kernel, services] = await Promise.all([client.ask('GET /api/kernel'), allServices(client)])
  return { at: performance.now(), kernel, services }
}

/** The busiest first. A service that is new, or whose counts began again, has done what it counts since. */
function busy(before: Sample, now: Sample): Busy[] {
  const seconds = Math.max(0.001, (now.at - before.at) / 1_000)
  const known = new Map(before.services.map((one) => [one.api, one]))
  const rate = (to: number, from = 0): number => Math.round(((to < from ? to : to - from) / seconds) * 10) / 10
  return now.services
    .map(({ api, state, generation, stale, calls, errors, in_flight, tasks }) => {
      const earlier = known.get(api)
      const calls_per_s = rate(calls, earlier?.calls)
      const errors_per_s = rate(errors, earlier?.errors)
      return { api, state, generation, stale, calls_per_s, errors_per_s, in_flight, tasks }
    })
    .sort((a, b) => b.calls_per_s - a.calls_per_s || b.in_flight - a.in_flight || (a.api < b.api ? -1 : 1))
}

function frame(now: Sample, rows: readonly Busy[], height: number): string[] {
  const { status, version, uptime_s, frozen } = now.kernel
  const total = (read: (one: Busy) => number): string => rows.reduce((sum, one) => sum + read(one), 0).toFixed(1)
  const live = rows.filter((one) => one.state === 'live').length
  const head = `${bold(`kernel ${version}`)}  ${status}${frozen === 'none' ? '' : red(`  frozen (${frozen})`)}  up ${Math.round(uptime_s)} s  ${live} of ${rows.length} live  ${total((one) => one.calls_per_s)} calls/s  ${total((one) => one.errors_per_s)} errors/s`
  const shown = rows.slice(0, Math.max(1, height - 3))
  const lines = shown.map((one) => [
    one.api,
    one.state === 'live' && !one.stale ? 'live' : red(one.stale ? `${one.state} (stale)` : one.state),
    one.generation === null ? '-' : `g${one.generation}`,
    one.calls_per_s.toFixed(1).padStart(9),
    one.errors_per_s === 0 ? '0.0'.padStart(9) : red(one.errors_per_s.toFixed(1).padStart(9)),
    String(one.in_flight).padStart(5),
    String(one.tasks).padStart(5),
  ])
  const title = ['SERVICE', 'STATE', 'GEN', '  CALLS/S', ' ERRORS/S', ' OPEN', 'TASKS']
  const more = rows.length > shown.length ? [dim(`and ${rows.length - shown.length} more`)] : []
  return [head, ...table([title, ...lines]).split('\n'), ...more]
}

async function top({ root, json }: Common, { interval }: { interval: string }): Promise<void> {
  const seconds = Number(interval)
  if (!(seconds > 0 && seconds <= INTERVAL_S_MAX)) throw coded('usage', { reason: '--interval is a number of seconds' })
  const first = await sample(root)
  if (!json && process.stdout.isTTY) {
    await watch(root, first, seconds)
    return
  }
  await sleep(seconds * 1_000)
  const now = await sample(root)
  const services = busy(first, now)
  const { status, version, uptime_s, frozen } = now.kernel
  if (json) printJson({ status, version, uptime_s, frozen, services })
  else for (const line of frame(now, services, Number.POSITIVE_INFINITY)) print(line)
}

async function watch(root: string, first: Sample, seconds: number): Promise<void> {
  const { stdout, stdin } = process
  const stop = new AbortController()
  const end = (): void => stop.abort()
  const onKey = (key: Buffer): void => {
    if (ENDS.some((one) => key.includes(one))) end()
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  if (stdin.isTTY) stdin.setRawMode(true).on('data', onKey)
  // Another screen, without a cursor, and lines that are cut where it ends: what stood there comes back at the end.
  stdout.write('\u001b[?1049h\u001b[?25l\u001b[?7l')
  const screen = new Screen()
  stdout.on('resize', () => screen.forget())
  try {
    let before = first
    const draw = (now: Sample, rows: Busy[]): void =>
      screen.show([...frame(now, rows, (stdout.rows ?? ROWS) - 1), dim('q ends')])
    draw(first, busy(first, first))
    while (!stop.signal.aborted) {
      await sleep(seconds * 1_000, undefined, { signal: stop.signal }).catch(() => undefined)
      if (stop.signal.aborted) return
      const now = await sample(root).catch(waiting)
      if (now === undefined) {
        screen.show([red('the system is not reachable; waiting for it'), dim('q ends')])
        continue
      }
      draw(now, busy(before, now))
      before = now
    }
  } finally {
    stdout.write('\u001b[?7h\u001b[?25h\u001b[?1049l')
    if (stdin.isTTY) stdin.setRawMode(false).off('data', onKey).pause()
  }
}

function waiting(thrown: unknown): undefined {
  if (codeOf(thrown) !== 'not_reachable') throw thrown
}

/** Writes the lines that differ from those that stand there. */
class Screen {
  private lines: string[] = []

  forget(): void {
    this.lines = []
    process.stdout.write('\u001b[2J')
  }

  show(next: readonly string[]): void {
    let text = ''
    for (let index = 0; index < Math.max(next.length, this.lines.length); index++)
      if (next[index] !== this.lines[index]) text += `\u001b[${index + 1};1H${next[index] ?? ''}\u001b[K`
    process.stdout.write(text)
    this.lines = [...next]
  }
}

export function addTop(program: Command, { common }: Cli): void {
  prints(
    program
      .command('top')
      .description('the services by how much they do, as it changes; q ends')
      .option('--interval <seconds>', 'how often it is drawn, and over what it is counted', '1')
      .action((options: { interval: string }) => top(common(), options)),
    '{status, version, uptime_s, frozen, services}',
  )
}
