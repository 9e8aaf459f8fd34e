/**
 * The service `training_report`: what `rl_trainer` wrote to the table `training_log`, read back as figures through the
 * service `database`. Nobody may have trained yet, so a missing table is an empty report and no error. What it has
 * seen (last row, reports made, best loss) outlives its own reloads by `handOver` and `takeOver`: the sample of a
 * module that keeps state. A new process starts from nothing again; the table is what lasts.
 */
import { z } from 'zod'
import type { Handle, KernelApi } from '../contracts/module.ts'
import type { DatabaseApi, SqlRow } from '../contracts/services.ts'
import { coded } from '../lib/errors.ts'
import { tool } from '../lib/tool.ts'

const HISTORY_MAX = 1000

export const configSchema = z.object({
  /** the trend is that of this many latest rows */
  trend_steps: z.number().int().min(2).max(HISTORY_MAX).default(50),
  /** a change over these rows below this share of their mean is `flat` */
  flat_share: z.number().nonnegative().default(0.01),
})

type Config = z.infer<typeof configSchema>

const seenSchema = z.object({
  /** id of the last row a report has covered */
  last_id: z.number(),
  reports: z.number(),
  /** also of rows that are gone from the table */
  best_loss: z.number().nullable(),
})

export type Seen = z.infer<typeof seenSchema>

export interface Trend {
  /** rows it was made from; fewer than asked for when there are not as many */
  rows: number
  /** change of the loss per row, by least squares; null with fewer than two rows */
  slope: number | null
  direction: 'falling' | 'flat' | 'rising' | 'unknown'
}

export interface Report {
  rows: number
  /** rows since the report before this one */
  new_rows: number
  /** highest step reached; steps count from 1 again when the trainer is reloaded */
  steps: number
  first_loss: number | null
  last_loss: number | null
  min_loss: number | null
  mean_loss: number | null
  best_loss_ever: number | null
  trend: Trend
  /** the same in words */
  text: string
}

export interface HistoryRow {
  id: number
  step: number
  loss: number
  learning_rate: number
  /** epoch milliseconds */
  logged_at: number
}

const EXISTS = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'training_log'`
/** One statement, so that all figures are of one moment. */
const FIGURES = `SELECT count(*) AS row_count, coalesce(max(id), 0) AS last_id, coalesce(max(step), 0) AS steps,
  min(loss) AS min_loss, avg(loss) AS mean_loss, count(*) FILTER (WHERE id > ?) AS new_rows,
  (SELECT loss FROM training_log ORDER BY id LIMIT 1) AS first_loss,
  (SELECT loss FROM training_log ORDER BY id DESC LIMIT 1) AS last_loss FROM training_log`
const LATEST = `SELECT id, step, loss, learning_rate, logged_at FROM training_log WHERE id <= ?
  ORDER BY id DESC LIMIT ?`

export class Module {
  static needs = ['database']
  static version = '1'
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #db: Handle<DatabaseApi>
  #seen: Seen = { last_id: 0, reports: 0, best_loss: null }

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#db = kernel.getApi<DatabaseApi>('database')
  }

  /** `last`: how many of the latest rows the trend is made from. */
  async report({ last }: { last?: number } = {}): Promise<Report> {
    const trendRows = rowCount(last ?? this.#config.trend_steps, 'last')
    const seenBefore = this.#seen.last_id
    const [figures] = (await this.#tableExists()) ? await this.#db.query(FIGURES, [seenBefore]) : []
    const count = (name: string): number => Number(figures?.[name] ?? 0)
    const loss = (name: string): number | null => (typeof figures?.[name] === 'number' ? figures[name] : null)
    const lastId = count('last_id')
    this.#remember(lastId, loss('min_loss'))
    const losses = lastId === 0 ? [] : (await this.#latest(lastId, trendRows)).map((row) => row.loss)
    const report = {
      rows: count('row_count'),
      // Ids only grow, so a smaller one than was seen means that the table was made anew.
      new_rows: count(lastId < seenBefore ? 'row_count' : 'new_rows'),
      steps: count('steps'),
      first_loss: loss('first_loss'),
      last_loss: loss('last_loss'),
      min_loss: loss('min_loss'),
      mean_loss: loss('mean_loss'),
      best_loss_ever: this.#seen.best_loss,
      trend: trendOf(losses, this.#config.flat_share),
    }
    return { ...report, text: inWords(report) }
  }

  /** The latest rows, oldest first. */
  async history(limit: number = this.#config.trend_steps): Promise<HistoryRow[]> {
    const rows = rowCount(limit, 'limit')
    return (await this.#tableExists()) ? this.#latest(Number.MAX_SAFE_INTEGER, rows) : []
  }

  /** What it remembers over reloads. */
  status(): Seen & { generation: number } {
    return { ...this.#seen, generation: this.#kernel.generation }
  }

  handOver(): Seen {
    return this.#seen
  }

  takeOver(state: unknown, fromVersion: string): void {
    if (fromVersion !== Module.version) throw new Error(`state of version ${fromVersion} is not known here`)
    this.#seen = seenSchema.parse(state)
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    const last = z.number().int().min(2).max(HISTORY_MAX).optional().describe('how many latest steps make the trend')
    return {
      summary: tool({
        description: 'Summarize the training so far: steps, first, last, best and mean loss, and where it is going.',
        params: z.object({ last }),
        read_only: true,
        run: ({ last: rows }) => this.report(rows === undefined ? {} : { last: rows }),
      }),
    }
  }

  #remember(lastId: number, minLoss: number | null): void {
    const { reports, best_loss: best } = this.#seen
    const losses = [best, minLoss].filter((one) => one !== null)
    this.#seen = {
      last_id: lastId,
      reports: reports + 1,
      best_loss: losses.length === 0 ? null : Math.min(...losses),
    }
  }

  async #tableExists(): Promise<boolean> {
    return (await this.#db.query(EXISTS)).length > 0
  }

  async #latest(upTo: number, limit: number): Promise<HistoryRow[]> {
    return (await this.#db.query(LATEST, [upTo, limit])).map(historyRow).reverse()
  }
}

function rowCount(value: unknown, name: string): number {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= HISTORY_MAX) return Number(value)
  throw coded('bad_arguments', { reason: `\`${name}\` is a whole number from 1 to ${HISTORY_MAX}` })
}

const historyRow = (row: SqlRow): HistoryRow => ({
  id: Number(row['id']),
  step: Number(row['step']),
  loss: Number(row['loss']),
  learning_rate: Number(row['learning_rate']),
  logged_at: Number(row['logged_at']),
})

/** A straight line through the losses; what it rises or falls from end to end is compared with their mean. */
export function trendOf(losses: readonly number[], flatShare: number): Trend {
  const rows = losses.length
  if (rows < 2) return { rows, slope: null, direction: 'unknown' }
  const middle = (rows - 1) / 2
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / rows
  let rise = 0
  let run = 0
  for (const [index, loss] of losses.entries()) {
    rise += (index - middle) * (loss - mean)
    run += (index - middle) ** 2
  }
  const slope = rise / run
  const flat = Math.abs(slope * (rows - 1)) <= flatShare * Math.abs(mean)
  return { rows, slope, direction: flat ? 'flat' : slope < 0 ? 'falling' : 'rising' }
}

function inWords(report: Omit<Report, 'text'>): string {
  const { rows, new_rows, steps, first_loss, last_loss, min_loss, mean_loss, trend } = report
  if (rows === 0) return 'Nothing has been trained yet.'
  const short = (loss: number | null): string => (loss === null ? '-' : String(Number(loss.toPrecision(4))))
  const going = trend.direction === 'unknown' ? 'too few for a trend' : `${trend.direction} over the last ${trend.rows}`
  return (
    `${rows} rows (${new_rows} new), up to step ${steps}: loss ${short(first_loss)} → ${short(last_loss)}, ` +
    `best ${short(min_loss)}, mean ${short(mean_loss)}; ${going}.`
  )
}
