/** The log as the page keeps it: the last lines, and where what comes next goes on. Pure, but for asking. */
import { ask, type ApiAnswer } from '../../api/client.ts'

type Answer = ApiAnswer<'GET /api/logs'>
export type LogLine = Answer['lines'][number]
export type Level = LogLine['level']

/** A line, or the place where lines are missing. */
export type Row = { id: number; line: LogLine } | { id: number; line: undefined }

export interface Tail {
  rows: readonly Row[]
  next: string | null
  lastId: number
}

export interface Filter {
  level: Level
  service: string | undefined
}

export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']
const FIRST = 300
export const ROWS_MAX = 1_000

export const EMPTY: Tail = { rows: [], next: null, lastId: 0 }

/** What was added is put behind; of too many the oldest go. What is unchanged stays the same object. */
export function withAnswer(tail: Tail, { lines, next, gap }: Pick<Answer, 'lines' | 'next' | 'gap'>): Tail {
  if (lines.length === 0 && !gap) return next === tail.next ? tail : { ...tail, next }
  let { lastId } = tail
  const rows: Row[] = gap && tail.rows.length > 0 ? [{ id: ++lastId, line: undefined }] : []
  for (const line of lines) rows.push({ id: ++lastId, line })
  return { rows: [...tail.rows, ...rows].slice(-ROWS_MAX), next, lastId }
}

/** The first lines, or what came after them; asked on while there is more. */
export async function readMore(tail: Tail, { level, service }: Filter, isWanted: () => boolean): Promise<Tail> {
  let now = tail
  for (;;) {
    const answer = await ask('GET /api/logs', {
      query: {
        level,
        ...(service === undefined ? {} : { service }),
        ...(now.next === null ? { limit: FIRST } : { after: now.next, limit: ROWS_MAX }),
      },
    })
    now = withAnswer(now, answer)
    if (!answer.more || !isWanted()) return now
  }
}

/** In the message, the service, the code or the stack; without regard to case. */
export function fitting(rows: readonly Row[], searched: string): readonly Row[] {
  const text = searched.trim().toLowerCase()
  if (text === '') return rows
  return rows.filter(({ line }) => {
    if (line === undefined) return false
    const { message, service, code, stack } = line
    return [message, service, code, stack].some((part) => part?.toLowerCase().includes(text) === true)
  })
}
