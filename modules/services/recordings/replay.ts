/**
 * Recorded calls, made once more on the version that serves and on a candidate, both beside the one that serves, which
 * is not touched. What they ask of others is answered from the recordings; what only reads is really asked; all else is
 * refused and told as a difference.
 */
import type { KernelApi } from '../../contracts/module.ts'
import type { Replay } from '../../contracts/recordings.ts'
import type { Trial, TrialCall } from '../../contracts/trial.ts'
import { CodedError, coded, toErrorData } from '../../lib/errors.ts'
import { MARK, type Redactor } from '../../lib/redact.ts'
import { differenceOf, Differences, isItsOwn, quantiles, type Answer } from './compare.ts'
import type { Config } from './config.ts'
import { formOf, valueOf } from './form.ts'
import { askReally, isReading, knownAnswer, readOnlyTools } from './answers.ts'
import { read, type Book, type CallRow } from './store.ts'

export interface ReplayParts {
  kernel: KernelApi
  book: Book
  config: Config
  redactor: Redactor
}

export async function replay(
  parts: ReplayParts,
  service: string,
  { against, limit }: { against: string; limit: number },
): Promise<Replay> {
  const { kernel, book, config } = parts
  const rows = read<CallRow>(book.connection, 'SELECT * FROM calls WHERE api = ? ORDER BY at LIMIT ?', [service, limit])
  const asked: { unanswered: string | undefined } = { unanswered: undefined }
  const readers = await readOnlyTools(kernel)
  const answer = (call: TrialCall): unknown => answerCall(parts, service, readers, call, asked)
  const live = await kernel.tryVersion({ api: service, version: 'live', answer })
  try {
    const candidate = await kernel.tryVersion({ api: service, version: against, answer })
    try {
      const course = { live, candidate, asked, until: kernel.clock.monotonic() + config.replay_ms }
      return await compareAll(parts, service, rows, course)
    } finally {
      await candidate.end()
    }
  } finally {
    await live.end()
  }
}

interface Course {
  live: Trial
  candidate: Trial
  /** what the call under way asked for in vain: calls are made one at a time */
  asked: { unanswered: string | undefined }
  until: number
}

async function compareAll(parts: ReplayParts, service: string, rows: CallRow[], course: Course): Promise<Replay> {
  const { live, candidate, until } = course
  const differences = new Differences()
  const skipped = { redacted: 0, over_time: 0 }
  const ms = { live: [] as number[], candidate: [] as number[] }
  let calls = 0
  let equal = 0
  let blamed = 0
  for (const [index, row] of rows.entries()) {
    if (row.args.includes(MARK)) {
      skipped.redacted++
      continue
    }
    if (parts.kernel.clock.monotonic() > until) {
      skipped.over_time = rows.length - index
      break
    }
    const recorded = { outcome: row.outcome, text: row.outcome === 'ok' ? row.result : row.message, ms: row.ms }
    // In turns, so that neither always finds warm caches.
    const order = index % 2 === 0 ? ([live, candidate] as const) : ([candidate, live] as const)
    const first = await answerOf(parts, order[0], row, course)
    const second = await answerOf(parts, order[1], row, course)
    const [now, next] = index % 2 === 0 ? [first, second] : [second, first]
    calls++
    ms.live.push(now.ms)
    ms.candidate.push(next.ms)
    const kind = differenceOf(recorded, now, next)
    if (kind === undefined) equal++
    else {
      differences.add(kind, row, [recorded, now, next])
      if (isItsOwn(kind)) blamed++
    }
  }
  return {
    service,
    live: { source_hash: live.source_hash, config_hash: live.config_hash },
    candidate: { source_hash: candidate.source_hash, config_hash: candidate.config_hash },
    verdict: calls === 0 ? 'nothing_recorded' : blamed === 0 ? 'equal' : 'different',
    calls,
    equal,
    differences: differences.list(),
    skipped,
    ms: { live: quantiles(ms.live), candidate: quantiles(ms.candidate) },
  }
}

async function answerOf(parts: ReplayParts, trial: Trial, row: CallRow, { asked }: Course): Promise<Answer> {
  const { kernel, config, redactor } = parts
  const { aspect, method } = row
  asked.unanswered = undefined
  const since = kernel.clock.monotonic()
  const done = (outcome: string, text: string): Answer => ({
    outcome,
    text: redactor.text(text),
    ms: kernel.clock.monotonic() - since,
    ...(asked.unanswered === undefined ? {} : { unanswered: asked.unanswered }),
  })
  try {
    const call = trial.call(aspect, method, valueOf(row.args) as unknown[])
    const result = await inTime(kernel, config.replay_call_ms, call, { api: row.api, method })
    const text = formOf(result, [], Number.POSITIVE_INFINITY)
    return text === undefined ? done('not_plain_data', '') : done('ok', text)
  } catch (thrown) {
    const { code, message } = toErrorData(thrown)
    return done(code, message)
  }
}

async function inTime<T>(
  kernel: KernelApi,
  ms: number,
  work: Promise<T>,
  names: { api: string; method: string },
): Promise<T> {
  const over = new AbortController()
  const late = kernel.sleep(ms, over.signal).then(() => {
    throw coded('deadline_exceeded', { ...names, ms })
  })
  // It ends by the abort, and then nobody hears of it.
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

/** Rejects with `replay_unanswered` for what was not recorded and may change something. */
async function answerCall(
  parts: ReplayParts,
  caller: string,
  readers: ReadonlySet<string>,
  call: TrialCall,
  asked: Course['asked'],
): Promise<unknown> {
  const known = knownAnswer(parts, caller, call)
  if (known !== undefined) {
    if (known.outcome === 'ok') return valueOf(known.result)
    throw new CodedError(known.outcome, known.message, '')
  }
  if (isReading(readers, call)) return askReally(parts.kernel, call)
  const { api, method } = call
  asked.unanswered = `${api}.${method}`
  throw coded('replay_unanswered', { api, method })
}
